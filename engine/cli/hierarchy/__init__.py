"""`qilin hierarchy …`: look at an organisation table, hold it against another, write it out."""
