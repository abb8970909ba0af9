#!/usr/bin/env bash
# rclone against a mock S3.
. "$(dirname "$0")/steps.sh"

touch rclone.conf
export RCLONE_CONFIG=$folder/rclone.conf RCLONE_RETRIES=1 RCLONE_LOW_LEVEL_RETRIES=1 RCLONE_LOG_LEVEL=ERROR
remote() {
    local name=$1 key=$2 secret=$3
    export "RCLONE_CONFIG_${name}_TYPE=s3" "RCLONE_CONFIG_${name}_PROVIDER=Other" "RCLONE_CONFIG_${name}_REGION=us-east-1"
    export "RCLONE_CONFIG_${name}_ENDPOINT=$ENDPOINT" "RCLONE_CONFIG_${name}_FORCE_PATH_STYLE=true"
    export "RCLONE_CONFIG_${name}_ACCESS_KEY_ID=$key" "RCLONE_CONFIG_${name}_SECRET_ACCESS_KEY=$secret"
}
remote OWNER "$OWNER_ACCESS_KEY" "$OWNER_SECRET_KEY"
remote READER "$READER_ACCESS_KEY" "$READER_SECRET_KEY"
remote WRONG "$OWNER_ACCESS_KEY" wrong
bucket=rclone-$$-$RANDOM
at=owner:$bucket

step "make a bucket"
rclone mkdir "$at"
has "$(rclone lsd owner:)" "$bucket"

step "copy a folder up, and see that nothing differs"
mkdir -p tree/deep "tree/with space"
for n in 1 2 3; do echo "file $n" > "tree/deep/$n"; done
echo "one two three four five" > "tree/with space/a+b&c ü.txt"
rclone copy tree "$at/tree"
rclone check tree "$at/tree"

step "list: files, folders, sizes, depth"
equal "$(rclone lsf -R --files-only "$at/tree" | sort | tr '\n' ',')" "deep/1,deep/2,deep/3,with space/a+b&c ü.txt,"
equal "$(rclone lsf --dirs-only "$at/tree" | tr '\n' ',')" "deep/,with space/,"
equal "$(rclone size "$at/tree" --json)" '{"count":4,"bytes":45,"sizeless":0}'

step "pages of two"
equal "$(rclone lsf -R --files-only --s3-list-chunk 2 "$at/tree" | wc -l)" "4"
equal "$(rclone lsf -R --files-only --s3-list-chunk 2 --s3-list-version 2 "$at/tree" | wc -l)" "4"

step "MD5 sums are the ETags"
equal "$(rclone md5sum "$at/tree/deep/1")" "$(cd tree/deep && md5sum 1)"

step "ranges"
file="$at/tree/with space/a+b&c ü.txt"
equal "$(rclone cat --offset 4 --count 3 "$file")" "two"
equal "$(rclone cat --tail 5 "$file")" "five"

step "a second copy moves nothing, a changed file moves"
equal "$(rclone copy tree "$at/tree" --stats-one-line --log-level NOTICE 2>&1)" ""
echo "changed" > tree/deep/1
rclone sync tree "$at/tree"
equal "$(rclone cat "$at/tree/deep/1")" "changed"

step "sync removes what is gone"
rm tree/deep/3
rclone sync tree "$at/tree"
equal "$(rclone lsf "$at/tree/deep" | tr '\n' ',')" "1,2,"

step "modification times are kept"
touch -d "2020-02-03 04:05:06 UTC" tree/deep/2
rclone copy tree "$at/tree"
equal "$(TZ=UTC rclone lsf --format t "$at/tree/deep/2")" "2020-02-03 04:05:06"

step "a large file in parts, from a pipe and from a file"
pattern $((12 * 1024 * 1024 + 17)) > large.bin
rclone copyto --s3-upload-cutoff 5M --s3-chunk-size 5M large.bin "$at/large.bin"
rclone rcat --streaming-upload-cutoff 1k --s3-chunk-size 5M "$at/piped.bin" < large.bin
equal "$(rclone cat "$at/large.bin" | md5sum)" "$(md5sum < large.bin)"
equal "$(rclone cat "$at/piped.bin" | md5sum)" "$(md5sum < large.bin)"

step "down again in threads, each with a range"
rclone copyto --multi-thread-cutoff 1M --multi-thread-streams 3 "$at/large.bin" large.back
cmp large.bin large.back

step "copy and move on the server, a large one by parts"
rclone copyto "$at/tree/deep/2" "$at/copied"
equal "$(rclone cat "$at/copied")" "file 2"
rclone moveto "$at/copied" "$at/moved"
equal "$(rclone lsf "$at" --files-only | sort | tr '\n' ',')" "large.bin,moved,piped.bin,"
rclone copyto --s3-copy-cutoff 5M "$at/large.bin" "$at/large.copy"
equal "$(rclone cat "$at/large.copy" | md5sum)" "$(md5sum < large.bin)"

step "presigned links"
url=$(rclone link --expire 1m "$at/moved")
equal "$(curl -sS "$url")" "file 2"
has "$(curl -sS "${url/moved/large.bin}")" "<Code>SignatureDoesNotMatch</Code>"

step "versions"
has "$(rclone backend versioning "$at" Enabled)" "Enabled"
echo "first" | rclone rcat "$at/v.txt"
echo "second" | rclone rcat "$at/v.txt"
equal "$(rclone lsf "$at" --files-only --include 'v*')" "v.txt"
equal "$(rclone lsf "$at" --files-only --s3-versions --include 'v*' | wc -l)" "2"
rclone deletefile "$at/v.txt"
equal "$(rclone lsf "$at" --files-only --include 'v*')" ""
equal "$(rclone lsf "$at" --files-only --s3-versions --include 'v*' | wc -l)" "2"

step "old versions and unfinished uploads are cleaned up"
rclone backend cleanup-hidden "$at"
equal "$(rclone lsf "$at" --files-only --s3-versions --include 'v*')" ""
has "$(rclone backend list-multipart-uploads "$at")" "\"$bucket\": []"

step "a reader reads and does not write"
equal "$(rclone cat "reader:$bucket/moved")" "file 2"
refused AccessDenied rclone copyto tree/deep/1 "reader:$bucket/no" --s3-no-check-bucket
refused AccessDenied rclone deletefile "reader:$bucket/moved"

step "errors: no such bucket, no such file, a wrong secret"
refused "directory not found" rclone lsf "owner:$bucket-not"
refused "doesn't exist" rclone deletefile "$at/missing"
refused SignatureDoesNotMatch rclone lsd wrong:
refused BucketNotEmpty rclone rmdir "$at"

step "everything is removed"
rclone backend versioning "$at" Suspended > /dev/null
rclone delete "$at" --s3-version-at 2100-01-01 2> /dev/null || true
rclone delete "$at"
rclone backend cleanup-hidden "$at"
rclone purge "$at"
equal "$(rclone lsd owner: | grep -c "$bucket" || true)" "0"
