# Numbered steps for the shell clients: sourced, never run. Ends with 1 at the first step that fails, and names it.
set -euo pipefail

# Of the surroundings nothing counts but what the caller says.
for variable in "${!AWS_@}" "${!RCLONE_@}"; do unset "$variable"; done

number=0
name="before the first step"

step() {
    [ "$number" -eq 0 ] || echo "step $number ok: $name"
    number=$((number + 1)) name=$1
}

fail() {
    echo "step $number FAILED: $name: $*"
    trap - EXIT
    exit 1
}

ended() {
    local code=$?
    [ "$code" -eq 0 ] && echo "step $number ok: $name" || echo "step $number FAILED: $name (exit code $code)"
}
trap ended EXIT

# equal FOUND EXPECTED
equal() {
    [ "$1" = "$2" ] || fail "expected '$2', found '$1'"
}

# has TEXT PART
has() {
    case "$1" in *"$2"*) ;; *) fail "no '$2' in: $1" ;; esac
}

# refused PART COMMAND...: the command fails and says so.
refused() {
    local part=$1 said
    shift
    if said=$("$@" 2>&1); then fail "'$*' was done, expected $part"; fi
    has "$said" "$part"
}

# pattern BYTES: data that is the same everywhere and compresses badly enough to notice a mix-up.
pattern() {
    seq -f "%015.0f" 1 $(($1 / 16 + 1)) | head -c "$1" || true
}

for variable in ENDPOINT OWNER_ACCESS_KEY OWNER_SECRET_KEY READER_ACCESS_KEY READER_SECRET_KEY; do
    [ -n "${!variable:-}" ] || { echo "$variable is not set"; exit 2; }
done

# An empty place of its own, and nothing of the user's configuration.
folder=$(mktemp -d)
trap 'ended; rm -rf "$folder"' EXIT
cd "$folder"
export HOME=$folder
