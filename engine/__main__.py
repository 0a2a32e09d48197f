"""`python -m qilin` is `qilin`."""

from qilin.cli.app import main

if __name__ == "__main__":
    main()
