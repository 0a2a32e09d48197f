"""`python -m engine` is `qilin`."""

from engine.cli import main

if __name__ == "__main__":
    main()
