"""Start the attention explorer: ``python app.py``; ``app:server`` is for other WSGI servers."""

import argparse
import sys

from explorer.app.server import create_app, serve

app = create_app()
server = app.server


def main() -> int:
    parser = argparse.ArgumentParser(description="Serve the attention explorer.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8050, help="port (default: %(default)s)")
    given = parser.parse_args()
    try:
        serve(given.host, given.port, app)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
