#!/usr/bin/env bash
# The AWS CLI (version 2) against a mock S3: high-level `s3` and low-level `s3api` commands.
. "$(dirname "$0")/steps.sh"

export AWS_ACCESS_KEY_ID=$OWNER_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$OWNER_SECRET_KEY
export AWS_DEFAULT_REGION=us-east-1 AWS_MAX_ATTEMPTS=1 AWS_PAGER="" AWS_EC2_METADATA_DISABLED=true
export AWS_SHARED_CREDENTIALS_FILE=$folder/none AWS_CONFIG_FILE=$folder/config
aws_program=${AWS_CLI:-aws}
bucket=awscli-$$-$RANDOM

aws() { command "$aws_program" --endpoint-url "$ENDPOINT" --output text "$@"; }
api() { aws s3api "$@"; }
reader() { AWS_ACCESS_KEY_ID=$READER_ACCESS_KEY AWS_SECRET_ACCESS_KEY=$READER_SECRET_KEY "$@"; }

cat > "$AWS_CONFIG_FILE" <<CONFIG
[default]
s3 =
    addressing_style = path
    multipart_threshold = 5MB
    multipart_chunksize = 5MB
CONFIG

step "make a bucket"
equal "$(aws s3 mb "s3://$bucket")" "make_bucket: $bucket"
has "$(aws s3 ls)" "$bucket"
equal "$(api get-bucket-location --bucket "$bucket" --query LocationConstraint)" "None"

step "copy a file up, and down again"
echo "one two three four five" > small.txt
aws s3 cp --no-progress small.txt "s3://$bucket/dir/small.txt" --metadata colour=red --cache-control no-store > /dev/null
aws s3 cp --no-progress "s3://$bucket/dir/small.txt" back.txt > /dev/null
cmp small.txt back.txt

step "its head: length, type, ETag, metadata"
found=$(api head-object --bucket "$bucket" --key dir/small.txt --query "[ContentLength,ContentType,CacheControl,Metadata.colour]")
equal "$found" "$(printf '24\ttext/plain\tno-store\tred')"
equal "$(api head-object --bucket "$bucket" --key dir/small.txt --query ETag)" "\"$(md5sum < small.txt | cut -d' ' -f1)\""

step "a large file goes up in parts and comes back whole"
pattern $((12 * 1024 * 1024 + 17)) > large.bin
aws s3 cp --no-progress large.bin "s3://$bucket/large.bin" > /dev/null
has "$(api head-object --bucket "$bucket" --key large.bin --query ETag)" "-3\""
aws s3 cp --no-progress "s3://$bucket/large.bin" large.back > /dev/null
cmp large.bin large.back

step "ranges"
api get-object --bucket "$bucket" --key dir/small.txt --range bytes=4-6 part --query ContentRange > range
equal "$(cat range) $(cat part)" "bytes 4-6/24 two"
api get-object --bucket "$bucket" --key dir/small.txt --range bytes=-5 part > /dev/null
equal "$(cat part)" "five"
refused InvalidRange api get-object --bucket "$bucket" --key dir/small.txt --range bytes=99- part

step "listing: folders, pages, start"
for key in a/1 a/2 b/1; do api put-object --bucket "$bucket" --key "$key" --body small.txt > /dev/null; done
equal "$(aws s3 ls "s3://$bucket/" | grep PRE | tr -s ' ' | tr '\n' ',')" " PRE a/, PRE b/, PRE dir/,"
equal "$(api list-objects-v2 --bucket "$bucket" --page-size 2 --query 'Contents[].Key')" "$(printf 'a/1\ta/2\nb/1\tdir/small.txt\nlarge.bin')"
equal "$(api list-objects-v2 --bucket "$bucket" --start-after a/2 --max-items 1 --query 'Contents[].Key' | head -1)" "b/1"
equal "$(api list-objects --bucket "$bucket" --prefix a/ --query 'Contents[].Size')" "$(printf '24\t24')"

step "sync there and back"
mkdir -p tree/deep
for n in 1 2 3; do echo "file $n" > "tree/deep/$n"; done
# S3 keeps whole seconds: what is uploaded within the second it was written in seems older there, and goes up again.
touch -d '1 minute ago' tree/deep/*
aws s3 sync --no-progress tree "s3://$bucket/tree" > /dev/null
equal "$(aws s3 sync --no-progress tree "s3://$bucket/tree")" ""
aws s3 sync --no-progress "s3://$bucket/tree" again > /dev/null
diff -r tree again

step "copy and move on the server"
aws s3 cp --no-progress "s3://$bucket/dir/small.txt" "s3://$bucket/copied" > /dev/null
equal "$(api head-object --bucket "$bucket" --key copied --query Metadata.colour)" "red"
aws s3 mv --no-progress "s3://$bucket/copied" "s3://$bucket/moved" > /dev/null
refused 404 api head-object --bucket "$bucket" --key copied

step "conditions"
tag=$(api head-object --bucket "$bucket" --key moved --query ETag)
refused 304 api get-object --bucket "$bucket" --key moved --if-none-match "$tag" part
refused PreconditionFailed api get-object --bucket "$bucket" --key moved --if-match '"other"' part

step "tags"
api put-object-tagging --bucket "$bucket" --key moved --tagging 'TagSet=[{Key=stage,Value=raw}]' > /dev/null
equal "$(api get-object-tagging --bucket "$bucket" --key moved --query 'TagSet[].[Key,Value]')" "$(printf 'stage\traw')"
api delete-object-tagging --bucket "$bucket" --key moved > /dev/null
equal "$(api get-object-tagging --bucket "$bucket" --key moved --query 'length(TagSet)')" "0"

step "a multipart upload by hand, one part copied, and one that is aborted"
head -c $((5 * 1024 * 1024)) large.bin > part1
upload=$(api create-multipart-upload --bucket "$bucket" --key hand --query UploadId)
one=$(api upload-part --bucket "$bucket" --key hand --upload-id "$upload" --part-number 1 --body part1 --query ETag)
two=$(api upload-part-copy --bucket "$bucket" --key hand --upload-id "$upload" --part-number 2 \
    --copy-source "$bucket/dir/small.txt" --copy-source-range bytes=0-2 --query CopyPartResult.ETag)
equal "$(api list-parts --bucket "$bucket" --key hand --upload-id "$upload" --query 'Parts[].[PartNumber,Size]' | tr '\t\n' ' ,')" "1 5242880,2 3,"
has "$(api list-multipart-uploads --bucket "$bucket" --query 'Uploads[].Key')" "hand"
parts=$(printf '{"Parts":[{"PartNumber":1,"ETag":%s},{"PartNumber":2,"ETag":%s}]}' "$one" "$two")
api complete-multipart-upload --bucket "$bucket" --key hand --upload-id "$upload" --multipart-upload "$parts" > /dev/null
aws s3 cp --no-progress "s3://$bucket/hand" hand > /dev/null
equal "$(tail -c 3 hand) $(wc -c < hand)" "one 5242883"
upload=$(api create-multipart-upload --bucket "$bucket" --key never --query UploadId)
api abort-multipart-upload --bucket "$bucket" --key never --upload-id "$upload"
refused NoSuchUpload api list-parts --bucket "$bucket" --key never --upload-id "$upload"

step "presigned URLs"
url=$(aws s3 presign "s3://$bucket/moved" --expires-in 60)
equal "$(curl -sS "$url")" "$(cat small.txt)"
has "$(curl -sS "${url/moved/large.bin}")" "<Code>SignatureDoesNotMatch</Code>"

step "versions: an old one, a delete marker, and its removal"
api put-bucket-versioning --bucket "$bucket" --versioning-configuration Status=Enabled
equal "$(api get-bucket-versioning --bucket "$bucket" --query Status)" "Enabled"
first=$(api put-object --bucket "$bucket" --key v --body small.txt --query VersionId)
api put-object --bucket "$bucket" --key v --body part1 > /dev/null
api get-object --bucket "$bucket" --key v --version-id "$first" old > /dev/null
cmp old small.txt
marker=$(api delete-object --bucket "$bucket" --key v --query VersionId)
refused NoSuchKey api get-object --bucket "$bucket" --key v part
refused MethodNotAllowed api get-object --bucket "$bucket" --key v --version-id "$marker" part
equal "$(api list-object-versions --bucket "$bucket" --prefix v --query 'length(Versions)')" "2"
api delete-object --bucket "$bucket" --key v --version-id "$marker" > /dev/null
equal "$(api head-object --bucket "$bucket" --key v --query ContentLength)" "5242880"

step "policies: a user may read and not write, a bucket policy forbids"
reader aws s3 cp --no-progress "s3://$bucket/moved" part > /dev/null
refused AccessDenied reader api put-object --bucket "$bucket" --key no --body small.txt
deny='{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::'$bucket'/moved"}]}'
api put-bucket-policy --bucket "$bucket" --policy "$deny"
has "$(api get-bucket-policy --bucket "$bucket" --query Policy)" '"Effect":"Deny"'
refused AccessDenied reader api get-object --bucket "$bucket" --key moved part
api delete-bucket-policy --bucket "$bucket"
refused NoSuchBucketPolicy api get-bucket-policy --bucket "$bucket"

step "errors: bucket, key, signature"
refused NoSuchBucket api list-objects-v2 --bucket "$bucket-not"
refused NoSuchKey api get-object --bucket "$bucket" --key missing part
refused BucketNotEmpty api delete-bucket --bucket "$bucket"
wrong() { AWS_SECRET_ACCESS_KEY=wrong api list-buckets; }
refused SignatureDoesNotMatch wrong

step "who am I"
equal "$(aws sts get-caller-identity --query Account)" "111111111111"

step "many at once, then everything, then the bucket"
api delete-objects --bucket "$bucket" --delete '{"Objects":[{"Key":"a/1"},{"Key":"a/2"}]}' --query 'length(Deleted)' > deleted
equal "$(cat deleted)" "2"
versions() {
    command "$aws_program" --endpoint-url "$ENDPOINT" --output json s3api list-object-versions --bucket "$bucket" \
        --query "{Objects: [Versions, DeleteMarkers][][].{Key: Key, VersionId: VersionId}, Quiet: \`true\`}"
}
versions > all.json
api delete-objects --bucket "$bucket" --delete file://all.json > /dev/null
equal "$(aws s3 rb "s3://$bucket")" "remove_bucket: $bucket"
refused 404 api head-bucket --bucket "$bucket"
