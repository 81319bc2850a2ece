#!/bin/sh
# Stop the desk: A first, then B; then verify at the exchange that what is left is hedged.
# Takes --config FILE and --market as `lighter-hedge down` does; --quantity and --depth are accepted and mean nothing here.
here=$(cd "$(dirname "$0")" && pwd)
count=$#
while [ "$count" -gt 0 ]; do
  case "$1" in
    --quantity | --depth)
      [ "$count" -ge 2 ] || { echo "stop_hedge.sh: $1 needs a value" >&2; exit 2; }
      shift 2; count=$((count - 2)) ;;
    --quantity=* | --depth=*) shift; count=$((count - 1)) ;;
    *) set -- "$@" "$1"; shift; count=$((count - 1)) ;;
  esac
done
if [ -x "$here/.venv/bin/lighter-hedge" ]; then
  exec "$here/.venv/bin/lighter-hedge" down "$@"
fi
exec lighter-hedge down "$@"
