"""`python -m superpose` is the same as `superpose`."""

from superpose.cli import main

if __name__ == "__main__":
    main()
