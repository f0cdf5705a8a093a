"""python -m depthapps."""

from depthapps.cli.app import main

if __name__ == "__main__":
    main()
