#!/bin/sh
# Makes the two tokens, once: one to change things (you), one to look (Prometheus).
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
for name in admin_token viewer_token; do
  [ -s "secrets/$name" ] && continue
  head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' > "secrets/$name"
  # A container's user, which is nobody here, must be able to read it; the folder keeps others out.
  chmod 0444 "secrets/$name"
done
chmod 0711 secrets
echo "Sign in with: cat deploy/compose/secrets/admin_token"
