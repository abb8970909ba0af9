#!/usr/bin/env bash
# s3cmd against a mock S3.
. "$(dirname "$0")/steps.sh"

host=${ENDPOINT#http://}
configuration() {
    cat > "$1" <<CONFIG
[default]
access_key = $2
secret_key = $3
host_base = $host
host_bucket = $host
bucket_location = us-east-1
use_https = False
signature_v2 = False
max_retries = 1
CONFIG
}
configuration owner.cfg "$OWNER_ACCESS_KEY" "$OWNER_SECRET_KEY"
configuration reader.cfg "$READER_ACCESS_KEY" "$READER_SECRET_KEY"
configuration wrong.cfg "$OWNER_ACCESS_KEY" wrong
configuration v2.cfg "$OWNER_ACCESS_KEY" "$OWNER_SECRET_KEY"
sed -i 's/signature_v2 = False/signature_v2 = True/' v2.cfg

as() { local who=$1; shift; s3cmd -c "$folder/$who.cfg" --no-progress "$@"; }
s3() { as owner "$@"; }
text() { s3cmd -q -c "$folder/owner.cfg" get "$1" -; }
# What s3cmd has no command for: METHOD, target, and a body.
raw() {
    curl -sS --aws-sigv4 aws:amz:us-east-1:s3 --user "$OWNER_ACCESS_KEY:$OWNER_SECRET_KEY" \
        -H "x-amz-content-sha256: UNSIGNED-PAYLOAD" -X "$1" "$ENDPOINT/$2" "${@:3}"
}
bucket=s3cmd-$$-$RANDOM
at=s3://$bucket

step "make a bucket"
s3 mb "$at"
has "$(s3 ls)" "$at"

step "put a file and get it back"
echo "one two three four five" > small.txt
s3 put small.txt "$at/dir/small.txt" --add-header x-amz-meta-colour:red --mime-type text/x-small
s3 get "$at/dir/small.txt" back.txt
cmp small.txt back.txt

step "its description: size, type, MD5, metadata"
about=$(s3 info "$at/dir/small.txt")
has "$about" "File size: 24"
has "$about" "MIME type: text/x-small"
has "$about" "MD5 sum:   $(md5sum < small.txt | cut -d' ' -f1)"
has "$about" "x-amz-meta-colour: red"
has "$about" "ACL:       Owner: FULL_CONTROL"

step "a large file goes up in parts and comes back whole"
pattern $((12 * 1024 * 1024 + 17)) > large.bin
s3 put --multipart-chunk-size-mb=5 large.bin "$at/large.bin"
s3 get "$at/large.bin" large.back
cmp large.bin large.back

step "an interrupted download goes on with a range"
head -c 1000000 large.bin > cut.bin
s3 get --continue "$at/large.bin" cut.bin
cmp large.bin cut.bin

step "list: folders, all, sizes"
equal "$(s3 ls "$at/" | grep -c DIR)" "1"
equal "$(s3 ls -r "$at/" | awk '{print $3, $4}' | tr '\n' ',')" "24 $at/dir/small.txt,12582929 $at/large.bin,"
has "$(s3 du "$at/")" "12582953"
has "$(s3 la)" "$at/large.bin"

step "sync there and back, with odd names"
mkdir -p tree/deep
for n in 1 2 "a+b&c ü"; do echo "file $n" > "tree/deep/$n"; done
s3 sync tree/ "$at/tree/"
equal "$(s3 ls -r "$at/tree/" | wc -l)" "3"
s3 sync "$at/tree/" again/
diff -r tree again

step "sync removes what is gone"
rm tree/deep/2
s3 sync --delete-removed tree/ "$at/tree/"
equal "$(s3 ls -r "$at/tree/" | wc -l)" "2"

step "copy and move on the server"
s3 cp "$at/dir/small.txt" "$at/copied"
s3 mv "$at/copied" "$at/moved"
equal "$(text "$at/moved")" "$(cat small.txt)"
refused 404 s3 info "$at/copied"

step "metadata is changed in place"
s3 modify --add-header x-amz-meta-size:XL "$at/moved"
has "$(s3 info "$at/moved")" "x-amz-meta-size: XL"

step "ACLs: public and private"
s3 setacl --acl-public "$at/moved"
equal "$(curl -sS "$ENDPOINT/$bucket/moved")" "$(cat small.txt)"
s3 setacl --acl-private "$at/moved"
has "$(curl -sS "$ENDPOINT/$bucket/moved")" "<Code>AccessDenied</Code>"

step "a multipart upload is found and aborted"
s3 multipart "$at" > uploads
equal "$(grep -c "^20" uploads || true)" "0"
refused NoSuchUpload s3 abortmp "$at/large.bin" nonsense

step "signed URLs"
url=$(s3 signurl "$at/moved" +60 | sed "s#^https\?://[^/]*/#$ENDPOINT/#")
equal "$(curl -sS "$url")" "$(cat small.txt)"
has "$(curl -sS "${url/moved/large.bin}")" "<Code>SignatureDoesNotMatch</Code>"

step "a bucket policy is set, read and removed"
cat > policy.json <<POLICY
{"Version": "2012-10-17", "Statement": [{"Sid": "closed", "Effect": "Deny", "Principal": "*",
  "Action": "s3:GetObject", "Resource": "arn:aws:s3:::$bucket/dir/*"}]}
POLICY
s3 setpolicy policy.json "$at"
has "$(s3 info "$at")" '"Sid": "closed"'
refused 403 as reader get "$at/dir/small.txt" no
s3 delpolicy "$at"
as reader get "$at/dir/small.txt" yes
cmp yes small.txt

step "CORS rules are set, read and removed"
cat > cors.xml <<CORS
<CORSConfiguration><CORSRule><AllowedOrigin>https://example.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>
CORS
s3 setcors cors.xml "$at"
has "$(s3 info "$at")" "https://example.com"
s3 delcors "$at"

step "versions: an overwritten and a deleted object are kept, and come back"
enabled="<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
raw PUT "$bucket?versioning=" -d "$enabled"
has "$(raw GET "$bucket?versioning=")" "<Status>Enabled</Status>"
echo "newer" > newer.txt
s3 put newer.txt "$at/moved"
equal "$(text "$at/moved")" "newer"
s3 del "$at/moved"
refused 404 s3 info "$at/moved"
equal "$(raw GET "$bucket/moved?versionId=null")" "$(cat small.txt)"
marker=$(raw GET "$bucket?prefix=moved&versions=" | grep -o "<DeleteMarker>.*</DeleteMarker>" | grep -o "<VersionId>[^<]*" | cut -c12-)
raw DELETE "$bucket/moved?versionId=$marker"
equal "$(text "$at/moved")" "newer"

step "Signature Version 2"
has "$(as v2 ls -r "$at/")" "$at/large.bin"
as v2 get "$at/dir/small.txt" v2.txt
cmp v2.txt small.txt

step "a reader reads and does not write"
as reader get "$at/dir/small.txt" read.txt
refused 403 as reader put small.txt "$at/no"

step "errors: no such bucket, no such key, a wrong secret, a bucket that is not empty"
refused NoSuchBucket s3 ls "$at-not"
refused "does not exist" s3 get "$at/missing" missing
refused SignatureDoesNotMatch as wrong ls
refused BucketNotEmpty s3 rb "$at"

step "many are deleted at once"
s3 del -r -f "$at/"
equal "$(s3 ls -r "$at/")" ""
