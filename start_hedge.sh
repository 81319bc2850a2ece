#!/bin/sh
# Start the desk: ./start_hedge.sh --market BTC --quantity 0.0002 --depth 1 [--config FILE]
# All flags are those of `lighter-hedge up`; returns when A and B are ready.
here=$(cd "$(dirname "$0")" && pwd)
if [ -x "$here/.venv/bin/lighter-hedge" ]; then
  exec "$here/.venv/bin/lighter-hedge" up "$@"
fi
exec lighter-hedge up "$@"
