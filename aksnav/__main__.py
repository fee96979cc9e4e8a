"""``python -m aksnav``."""

from aksnav.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
