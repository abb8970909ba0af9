"""boto3 against a mock S3: numbered steps, each of which asserts exactly what S3 documents.

Needs ENDPOINT, and the key pairs OWNER_*, READER_* and STRANGER_* (identities.yaml). Ends with 1 at the first step
that fails, and names it.
"""

import base64
import hashlib
import http.client
import io
import json
import os
import sys
import time
import traceback
import urllib.error
import urllib.request
import uuid

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["ENDPOINT"]
REGION = "us-east-1"
MIB = 1 << 20
STEPS = []


def step(text):
    def register(function):
        STEPS.append((text, function))
        return function

    return register


def client(who="OWNER", service="s3", **settings):
    keys = {
        "aws_access_key_id": os.environ[f"{who}_ACCESS_KEY"],
        "aws_secret_access_key": os.environ[f"{who}_SECRET_KEY"],
    }
    # A step fails at its first error: retries would only hide it.
    retries = {"max_attempts": 0}
    s3 = {"addressing_style": "path"}
    config = Config(signature_version=settings.pop("signature_version", None), retries=retries, s3=s3)
    return boto3.client(service, endpoint_url=ENDPOINT, region_name=REGION, config=config, **(keys | settings))


def refused(status, code, call, **arguments):
    """The error of a call that has to fail with this status and code."""
    try:
        call(**arguments)
    except ClientError as error:
        found = (error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"])
        assert found == (status, code), f"expected {(status, code)}, found {found}: {error}"
        return error.response
    raise AssertionError(f"expected {(status, code)}, but it was done")


def equal(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def fetched(url, method="GET", data=None, headers=None):
    """Status, headers and body of a plain HTTP request."""
    request = urllib.request.Request(url, method=method, data=data, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def body(answer):
    return answer["Body"].read()


def md5(data):
    return f'"{hashlib.md5(data).hexdigest()}"'


def pattern(length):
    return (b"0123456789abcdef" * (length // 16 + 1))[:length]


S3 = client()
READER = client("READER")
STRANGER = client("STRANGER")
NOBODY = boto3.client(
    "s3", endpoint_url=ENDPOINT, region_name=REGION, config=Config(signature_version=UNSIGNED, s3={"addressing_style": "path"})
)
BUCKET = f"boto3-{uuid.uuid4().hex[:12]}"
VERSIONED = f"{BUCKET}-versioned"
TEXT = b"one two three four five"
ODD_KEY = "odd/a b+c&d=<e>\u00fc\u4f60.txt"


@step("buckets are made, made again by their owner, and found")
def _():
    equal(S3.create_bucket(Bucket=BUCKET)["Location"], f"/{BUCKET}")
    equal(S3.create_bucket(Bucket=BUCKET)["ResponseMetadata"]["HTTPStatusCode"], 200)
    refused(409, "BucketAlreadyExists", STRANGER.create_bucket, Bucket=BUCKET)
    listed = S3.list_buckets()
    assert BUCKET in [bucket["Name"] for bucket in listed["Buckets"]]
    equal(len(listed["Owner"]["ID"]), 64)
    head = S3.head_bucket(Bucket=BUCKET)
    equal(head["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"], REGION)
    equal(S3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"], None)


@step("an object is put with metadata, and its ETag is its MD5")
def _():
    put = S3.put_object(
        Bucket=BUCKET, Key="a.txt", Body=TEXT, ContentType="text/plain", CacheControl="no-store",
        ContentDisposition="inline", ContentLanguage="de", Metadata={"Colour": "red", "size": "XL"},
    )
    equal(put["ETag"], md5(TEXT))
    equal(put["ChecksumType"], "FULL_OBJECT")  # boto3 adds a CRC32 of its own


@step("it comes back with all that was given")
def _():
    got = S3.get_object(Bucket=BUCKET, Key="a.txt", ChecksumMode="ENABLED")
    equal(body(got), TEXT)
    equal((got["ContentType"], got["ContentLength"], got["ETag"]), ("text/plain", len(TEXT), md5(TEXT)))
    equal((got["CacheControl"], got["ContentDisposition"], got["ContentLanguage"]), ("no-store", "inline", "de"))
    equal((got["Metadata"], got["AcceptRanges"]), ({"colour": "red", "size": "XL"}, "bytes"))
    assert got["ChecksumCRC32"], got


@step("HEAD says the same without a body")
def _():
    head = S3.head_object(Bucket=BUCKET, Key="a.txt")
    equal((head["ContentLength"], head["ETag"], head["Metadata"]["colour"]), (len(TEXT), md5(TEXT), "red"))
    assert "ChecksumCRC32" not in head, "a checksum is told only on demand"
    refused(404, "404", S3.head_object, Bucket=BUCKET, Key="missing")


@step("ranges: first, open, last, beyond the end")
def _():
    def ranged(text):
        got = S3.get_object(Bucket=BUCKET, Key="a.txt", Range=text)
        return got["ResponseMetadata"]["HTTPStatusCode"], got["ContentRange"], body(got)

    equal(ranged("bytes=4-6"), (206, f"bytes 4-6/{len(TEXT)}", b"two"))
    equal(ranged("bytes=19-"), (206, f"bytes 19-22/{len(TEXT)}", b"five"))
    equal(ranged("bytes=-4"), (206, f"bytes 19-22/{len(TEXT)}", b"five"))
    equal(ranged("bytes=0-999"), (206, f"bytes 0-22/{len(TEXT)}", TEXT))
    error = refused(416, "InvalidRange", S3.get_object, Bucket=BUCKET, Key="a.txt", Range="bytes=99-")
    equal(error["Error"]["ActualObjectSize"], str(len(TEXT)))


@step("conditional reads")
def _():
    refused(304, "304", S3.get_object, Bucket=BUCKET, Key="a.txt", IfNoneMatch=md5(TEXT))
    equal(body(S3.get_object(Bucket=BUCKET, Key="a.txt", IfMatch=md5(TEXT))), TEXT)
    error = refused(412, "PreconditionFailed", S3.get_object, Bucket=BUCKET, Key="a.txt", IfMatch='"other"')
    equal(error["Error"]["Condition"], "If-Match")
    refused(304, "304", S3.get_object, Bucket=BUCKET, Key="a.txt", IfModifiedSince="Fri, 01 Jan 2100 00:00:00 GMT")


@step("conditional writes")
def _():
    new, here = {"Bucket": BUCKET, "Key": "once.txt"}, {"Bucket": BUCKET, "Key": "a.txt"}
    equal(S3.put_object(**new, Body=b"1", IfNoneMatch="*")["ETag"], md5(b"1"))
    refused(412, "PreconditionFailed", S3.put_object, **new, Body=b"2", IfNoneMatch="*")
    equal(body(S3.get_object(**new)), b"1")
    refused(412, "PreconditionFailed", S3.put_object, **new, Body=b"2", IfMatch=md5(TEXT))
    equal(S3.put_object(**new, Body=b"2", IfMatch=md5(b"1"))["ETag"], md5(b"2"))
    refused(404, "NoSuchKey", S3.put_object, Bucket=BUCKET, Key="missing", Body=b"", IfMatch=md5(b"1"))
    equal(S3.head_object(**here)["ETag"], md5(TEXT))


@step("checksums are verified, stored and told")
def _():
    digest = base64.b64encode(hashlib.sha256(TEXT).digest()).decode()
    put = S3.put_object(Bucket=BUCKET, Key="sum.txt", Body=TEXT, ChecksumSHA256=digest)
    equal(put["ChecksumSHA256"], digest)
    equal(S3.head_object(Bucket=BUCKET, Key="sum.txt", ChecksumMode="ENABLED")["ChecksumSHA256"], digest)
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    refused(400, "BadDigest", S3.put_object, Bucket=BUCKET, Key="sum.txt", Body=TEXT, ChecksumSHA256=wrong)
    of = S3.get_object_attributes(
        Bucket=BUCKET, Key="sum.txt", ObjectAttributes=["Checksum", "ObjectSize", "ETag", "StorageClass"]
    )
    equal((of["ObjectSize"], of["ETag"], of["StorageClass"]), (len(TEXT), md5(TEXT).strip('"'), "STANDARD"))
    equal((of["Checksum"]["ChecksumSHA256"], of["Checksum"]["ChecksumType"]), (digest, "FULL_OBJECT"))


@step("keys may hold any character, and listings give them back")
def _():
    S3.put_object(Bucket=BUCKET, Key=ODD_KEY, Body=b"odd")
    equal(body(S3.get_object(Bucket=BUCKET, Key=ODD_KEY)), b"odd")
    equal([entry["Key"] for entry in S3.list_objects_v2(Bucket=BUCKET, Prefix="odd/")["Contents"]], [ODD_KEY])


@step("ListObjectsV2: prefix, delimiter, pages, owner")
def _():
    for key in ("l/1", "l/2", "l/3/x", "l/3/y", "l/4"):
        S3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    folder = S3.list_objects_v2(Bucket=BUCKET, Prefix="l/", Delimiter="/")
    equal([entry["Key"] for entry in folder["Contents"]], ["l/1", "l/2", "l/4"])
    equal([entry["Prefix"] for entry in folder["CommonPrefixes"]], ["l/3/"])
    equal((folder["KeyCount"], folder["IsTruncated"]), (4, False))
    pages = list(S3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="l/", PaginationConfig={"PageSize": 2}))
    equal([[entry["Key"] for entry in page["Contents"]] for page in pages], [["l/1", "l/2"], ["l/3/x", "l/3/y"], ["l/4"]])
    after = S3.list_objects_v2(Bucket=BUCKET, Prefix="l/", StartAfter="l/2", FetchOwner=True, MaxKeys=1)
    equal((after["Contents"][0]["Key"], after["StartAfter"], after["IsTruncated"]), ("l/3/x", "l/2", True))
    equal(len(after["Contents"][0]["Owner"]["ID"]), 64)
    refused(400, "InvalidArgument", S3.list_objects_v2, Bucket=BUCKET, MaxKeys=-1)


@step("ListObjects V1: marker, next marker with a delimiter")
def _():
    page = S3.list_objects(Bucket=BUCKET, Prefix="l/", Delimiter="/", MaxKeys=3)
    equal((page["IsTruncated"], page["NextMarker"]), (True, "l/3/"))
    rest = S3.list_objects(Bucket=BUCKET, Prefix="l/", Delimiter="/", Marker=page["NextMarker"])
    equal([entry["Key"] for entry in rest["Contents"]], ["l/4"])
    equal(rest.get("CommonPrefixes"), None)


@step("copies keep or replace metadata, and obey conditions")
def _():
    source = {"Bucket": BUCKET, "Key": "a.txt"}
    copied = S3.copy_object(Bucket=BUCKET, Key="copy.txt", CopySource=source)
    equal(copied["CopyObjectResult"]["ETag"], md5(TEXT))
    equal(S3.head_object(Bucket=BUCKET, Key="copy.txt")["Metadata"], {"colour": "red", "size": "XL"})
    S3.copy_object(Bucket=BUCKET, Key="copy.txt", CopySource=source, MetadataDirective="REPLACE", Metadata={"k": "v"})
    equal(S3.head_object(Bucket=BUCKET, Key="copy.txt")["Metadata"], {"k": "v"})
    refused(400, "InvalidRequest", S3.copy_object, Bucket=BUCKET, Key="a.txt", CopySource=source)
    refused(412, "PreconditionFailed", S3.copy_object, Bucket=BUCKET, Key="c", CopySource=source, CopySourceIfMatch='"x"')
    refused(404, "NoSuchKey", S3.copy_object, Bucket=BUCKET, Key="c", CopySource={"Bucket": BUCKET, "Key": "missing"})


@step("object tags: with the upload, put, read, removed")
def _():
    S3.put_object(Bucket=BUCKET, Key="tagged", Body=b"t", Tagging="stage=raw&team=a%20b")
    tags = S3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"]
    equal(tags, [{"Key": "stage", "Value": "raw"}, {"Key": "team", "Value": "a b"}])
    equal(S3.get_object(Bucket=BUCKET, Key="tagged")["TagCount"], 2)
    S3.put_object_tagging(Bucket=BUCKET, Key="tagged", Tagging={"TagSet": [{"Key": "stage", "Value": "done"}]})
    equal(S3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"], [{"Key": "stage", "Value": "done"}])
    S3.delete_object_tagging(Bucket=BUCKET, Key="tagged")
    equal(S3.get_object_tagging(Bucket=BUCKET, Key="tagged")["TagSet"], [])
    too_long = {"TagSet": [{"Key": "k" * 129, "Value": ""}]}
    refused(400, "InvalidTag", S3.put_object_tagging, Bucket=BUCKET, Key="tagged", Tagging=too_long)


@step("a multipart upload: parts, a part copied from a range, the list of parts, completed twice")
def _():
    upload = S3.create_multipart_upload(Bucket=BUCKET, Key="big", Metadata={"made": "of parts"}, ChecksumAlgorithm="CRC32")
    at = {"Bucket": BUCKET, "Key": "big", "UploadId": upload["UploadId"]}
    first = pattern(5 * MIB)
    one = S3.upload_part(**at, PartNumber=1, Body=first)
    equal(one["ETag"], md5(first))
    S3.put_object(Bucket=BUCKET, Key="source", Body=pattern(6 * MIB))
    two = S3.upload_part_copy(
        **at, PartNumber=2, CopySource={"Bucket": BUCKET, "Key": "source"}, CopySourceRange=f"bytes=0-{5 * MIB - 1}"
    )["CopyPartResult"]
    three = S3.upload_part(**at, PartNumber=3, Body=b"the end")
    listed = S3.list_parts(**at)
    equal([(part["PartNumber"], part["Size"]) for part in listed["Parts"]], [(1, 5 * MIB), (2, 5 * MIB), (3, 7)])
    uploads = S3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    equal([(entry["Key"], entry["UploadId"]) for entry in uploads], [("big", upload["UploadId"])])
    parts = [
        {"PartNumber": number, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
        for number, part in ((1, one), (2, two), (3, three))
    ]
    done = S3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})
    digests = b"".join(bytes.fromhex(part["ETag"].strip('"')) for part in parts)
    equal(done["ETag"], f'"{hashlib.md5(digests).hexdigest()}-3"')
    assert done["ChecksumCRC32"].endswith("-3") and done["ChecksumType"] == "COMPOSITE", done
    equal(S3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})["ETag"], done["ETag"])
    head = S3.head_object(Bucket=BUCKET, Key="big")
    equal((head["ContentLength"], head["Metadata"]), (10 * MIB + 7, {"made": "of parts"}))


@step("parts of a finished upload can be read one by one")
def _():
    part = S3.get_object(Bucket=BUCKET, Key="big", PartNumber=3)
    equal((body(part), part["PartsCount"]), (b"the end", 3))
    equal(part["ContentRange"], f"bytes {10 * MIB}-{10 * MIB + 6}/{10 * MIB + 7}")
    parts = S3.get_object_attributes(Bucket=BUCKET, Key="big", ObjectAttributes=["ObjectParts"])["ObjectParts"]
    equal((parts["TotalPartsCount"], [entry["Size"] for entry in parts["Parts"]]), (3, [5 * MIB, 5 * MIB, 7]))
    edge = S3.get_object(Bucket=BUCKET, Key="big", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}")
    equal(body(edge), b"ef01")


@step("multipart uploads that cannot be completed")
def _():
    upload = S3.create_multipart_upload(Bucket=BUCKET, Key="never")
    at = {"Bucket": BUCKET, "Key": "never", "UploadId": upload["UploadId"]}
    tags = [S3.upload_part(**at, PartNumber=number, Body=b"small")["ETag"] for number in (1, 2)]

    def complete(*parts):
        return {"MultipartUpload": {"Parts": [{"PartNumber": number, "ETag": tag} for number, tag in parts]}}

    call = S3.complete_multipart_upload
    refused(400, "EntityTooSmall", call, **at, **complete((1, tags[0]), (2, tags[1])))
    refused(400, "InvalidPart", call, **at, **complete((1, md5(b"other"))))
    refused(400, "InvalidPartOrder", call, **at, **complete((2, tags[1]), (1, tags[0])))
    equal(S3.abort_multipart_upload(**at)["ResponseMetadata"]["HTTPStatusCode"], 204)
    refused(404, "NoSuchUpload", S3.list_parts, **at)
    refused(404, "NoSuchUpload", call, **at, **complete((1, tags[0])))
    equal(S3.list_multipart_uploads(Bucket=BUCKET).get("Uploads"), None)


@step("the transfer manager uploads in parts and downloads in ranges, in threads")
def _():
    data = os.urandom(12 * MIB + 345)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=3)
    S3.upload_fileobj(io.BytesIO(data), BUCKET, "managed", Config=config)
    assert S3.head_object(Bucket=BUCKET, Key="managed")["ETag"].endswith('-3"')
    back = io.BytesIO()
    S3.download_fileobj(BUCKET, "managed", back, Config=config)
    assert back.getvalue() == data, "the bytes differ"


@step("versions: two, by id, a delete marker, and back")
def _():
    S3.create_bucket(Bucket=VERSIONED)
    equal(S3.get_bucket_versioning(Bucket=VERSIONED).get("Status"), None)
    S3.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Enabled"})
    equal(S3.get_bucket_versioning(Bucket=VERSIONED)["Status"], "Enabled")
    at = {"Bucket": VERSIONED, "Key": "v"}
    first = S3.put_object(**at, Body=b"first")["VersionId"]
    second = S3.put_object(**at, Body=b"second")["VersionId"]
    assert first != second, first
    equal((body(S3.get_object(**at)), body(S3.get_object(**at, VersionId=first))), (b"second", b"first"))
    listed = S3.list_object_versions(Bucket=VERSIONED)["Versions"]
    equal([(entry["VersionId"], entry["IsLatest"]) for entry in listed], [(second, True), (first, False)])
    marker = S3.delete_object(**at)
    equal(marker["DeleteMarker"], True)
    missing = refused(404, "NoSuchKey", S3.get_object, **at)
    equal(missing["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"], "true")
    refused(405, "MethodNotAllowed", S3.get_object, **at, VersionId=marker["VersionId"])
    equal([m["VersionId"] for m in S3.list_object_versions(Bucket=VERSIONED)["DeleteMarkers"]], [marker["VersionId"]])
    S3.delete_object(**at, VersionId=marker["VersionId"])
    equal(body(S3.get_object(**at)), b"second")
    copied = S3.copy_object(**at, CopySource={**at, "VersionId": first})
    equal((copied["CopySourceVersionId"], body(S3.get_object(**at))), (first, b"first"))
    refused(400, "InvalidArgument", S3.get_object, **at, VersionId="nonsense")


@step("suspended versioning writes the null version")
def _():
    S3.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration={"Status": "Suspended"})
    at = {"Bucket": VERSIONED, "Key": "n"}
    for text in (b"1", b"2"):
        S3.put_object(**at, Body=text)
    listed = S3.list_object_versions(Bucket=VERSIONED, Prefix="n")["Versions"]
    equal([entry["VersionId"] for entry in listed], ["null"])
    equal(body(S3.get_object(**at, VersionId="null")), b"2")


@step("many objects are deleted at once, missing ones too")
def _():
    for key in ("d/1", "d/2"):
        S3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    objects = [{"Key": key} for key in ("d/1", "d/2", "d/missing")]
    done = S3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects})
    equal(sorted(entry["Key"] for entry in done["Deleted"]), ["d/1", "d/2", "d/missing"])
    equal(S3.list_objects_v2(Bucket=BUCKET, Prefix="d/")["KeyCount"], 0)
    quiet = S3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects, "Quiet": True})
    equal((quiet.get("Deleted"), quiet.get("Errors")), (None, None))


@step("presigned GET and PUT, with overridden headers, a wrong signature, and one that expires")
def _():
    signing = client(signature_version="s3v4")
    get = {"Bucket": BUCKET, "Key": "a.txt", "ResponseContentType": "text/csv", "ResponseCacheControl": "max-age=9"}
    url = signing.generate_presigned_url("get_object", Params=get, ExpiresIn=60)
    status, headers, found = fetched(url)
    equal((status, found, headers["Content-Type"], headers["Cache-Control"]), (200, TEXT, "text/csv", "max-age=9"))
    put = signing.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "signed"}, ExpiresIn=60)
    equal(fetched(put, "PUT", b"by url")[0], 200)
    equal(body(S3.get_object(Bucket=BUCKET, Key="signed")), b"by url")
    status, _, found = fetched(url.replace("/a.txt", "/other.txt"))
    equal((status, b"<Code>SignatureDoesNotMatch</Code>" in found), (403, True))
    brief = signing.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "a.txt"}, ExpiresIn=1)
    until = time.monotonic() + 10
    while (answer := fetched(brief))[0] == 200 and time.monotonic() < until:
        time.sleep(0.2)
    equal((answer[0], b"<Message>Request has expired</Message>" in answer[2]), (403, True))
    week = {"Params": {"Bucket": BUCKET, "Key": "a.txt"}, "ExpiresIn": 7 * 24 * 3600 + 1}
    status, _, found = fetched(signing.generate_presigned_url("get_object", **week))
    equal((status, b"AuthorizationQueryParametersError" in found), (400, True))


@step("a form (POST object) with conditions")
def _():
    post = client(signature_version="s3v4").generate_presigned_post(
        BUCKET, "form/${filename}", Fields={"success_action_status": "201"},
        Conditions=[["content-length-range", 1, 10], {"success_action_status": "201"}], ExpiresIn=60,
    )

    def send(data):
        parts = [f'--frontier\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in post["fields"].items()]
        file = '--frontier\r\nContent-Disposition: form-data; name="file"; filename="up.txt"\r\n\r\n'
        whole = "".join(parts).encode() + file.encode() + data + b"\r\n--frontier--\r\n"
        return fetched(post["url"], "POST", whole, {"Content-Type": "multipart/form-data; boundary=frontier"})

    status, _, document = send(b"in a form")
    equal((status, b"<Key>form/up.txt</Key>" in document), (201, True))
    equal(body(S3.get_object(Bucket=BUCKET, Key="form/up.txt")), b"in a form")
    status, _, document = send(b"more than ten bytes")
    equal((status, b"<Code>EntityTooLarge</Code>" in document), (400, True))


@step("errors carry code, names and ids")
def _():
    error = refused(404, "NoSuchKey", S3.get_object, Bucket=BUCKET, Key="missing")
    equal((error["Error"]["Key"], error["Error"]["Message"]), ("missing", "The specified key does not exist."))
    ids = error["ResponseMetadata"]
    equal((len(ids["RequestId"]), bool(ids["HostId"])), (16, True))
    error = refused(404, "NoSuchBucket", S3.list_objects_v2, Bucket=f"{BUCKET}-not")
    equal(error["Error"]["BucketName"], f"{BUCKET}-not")
    refused(409, "BucketNotEmpty", S3.delete_bucket, Bucket=BUCKET)
    refused(403, "InvalidAccessKeyId", client(aws_access_key_id="AKIANOBODY").list_buckets)
    refused(403, "SignatureDoesNotMatch", client(aws_secret_access_key="wrong").list_buckets)
    refused(403, "AccessDenied", NOBODY.get_object, Bucket=BUCKET, Key="a.txt")


@step("a user's policies decide, and a bucket policy lets another account in")
def _():
    equal(body(READER.get_object(Bucket=BUCKET, Key="a.txt")), TEXT)
    refused(403, "AccessDenied", READER.put_object, Bucket=BUCKET, Key="no", Body=b"")
    refused(404, "NoSuchKey", READER.get_object, Bucket=BUCKET, Key="missing")
    refused(403, "AccessDenied", STRANGER.get_object, Bucket=BUCKET, Key="a.txt")
    refused(404, "NoSuchBucketPolicy", S3.get_bucket_policy, Bucket=BUCKET)
    allow = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "222222222222"},
        "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/a.*"}]}""" % BUCKET
    S3.put_bucket_policy(Bucket=BUCKET, Policy=allow)
    equal(body(STRANGER.get_object(Bucket=BUCKET, Key="a.txt")), TEXT)
    refused(403, "AccessDenied", STRANGER.get_object, Bucket=BUCKET, Key="missing")  # it may not list
    S3.delete_bucket_policy(Bucket=BUCKET)
    refused(403, "AccessDenied", STRANGER.get_object, Bucket=BUCKET, Key="a.txt")
    refused(400, "MalformedPolicy", S3.put_bucket_policy, Bucket=BUCKET, Policy="{}")


@step("a public object is for everyone, with and without the bucket in the host name")
def _():
    S3.put_object(Bucket=BUCKET, Key="open", Body=b"for all", ACL="public-read")
    equal(body(NOBODY.get_object(Bucket=BUCKET, Key="open")), b"for all")
    grants = S3.get_object_acl(Bucket=BUCKET, Key="open")["Grants"]
    everyone = "http://acs.amazonaws.com/groups/global/AllUsers"
    equal([grant["Permission"] for grant in grants if grant["Grantee"].get("URI") == everyone], ["READ"])
    host = ENDPOINT.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=20)
    connection.request("GET", "/open", headers={"Host": f"{BUCKET}.localhost:{host.rpartition(':')[2]}"})
    equal(connection.getresponse().read(), b"for all")
    connection.close()


@step("CORS rules answer a preflight")
def _():
    refused(404, "NoSuchCORSConfiguration", S3.get_bucket_cors, Bucket=BUCKET)
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://*.example.com"], "MaxAgeSeconds": 30}
    S3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    equal(S3.get_bucket_cors(Bucket=BUCKET)["CORSRules"], [rule])
    asked = {"Origin": "https://www.example.com", "Access-Control-Request-Method": "GET"}
    status, headers, _ = fetched(f"{ENDPOINT}/{BUCKET}/open", "OPTIONS", headers=asked)
    equal((status, headers["Access-Control-Allow-Origin"]), (200, "https://www.example.com"))
    asked["Access-Control-Request-Method"] = "PUT"
    equal(fetched(f"{ENDPOINT}/{BUCKET}/open", "OPTIONS", headers=asked)[0], 403)


@step("STS: a reader takes on a role that writes")
def _():
    sts = client("READER", service="sts")
    role = "arn:aws:iam::111111111111:role/writer"
    taken = sts.assume_role(RoleArn=role, RoleSessionName="now", DurationSeconds=900)
    equal(taken["AssumedRoleUser"]["Arn"], "arn:aws:sts::111111111111:assumed-role/writer/now")
    keys = taken["Credentials"]
    writer = client(
        aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    equal(writer.put_object(Bucket=BUCKET, Key="by-role", Body=b"r")["ETag"], md5(b"r"))
    refused(403, "AccessDenied", writer.delete_object, Bucket=BUCKET, Key="by-role")
    refused(403, "AccessDenied", client("STRANGER", service="sts").assume_role, RoleArn=role, RoleSessionName="no")


@step("STS: who am I, and keys for an hour")
def _():
    sts = client(service="sts")
    who = sts.get_caller_identity()
    equal((who["Account"], who["Arn"]), ("111111111111", "arn:aws:iam::111111111111:root"))
    session = client("READER", service="sts").get_session_token(DurationSeconds=900)["Credentials"]
    keys = {"aws_access_key_id": session["AccessKeyId"], "aws_secret_access_key": session["SecretAccessKey"]}
    brief = client(**keys, aws_session_token=session["SessionToken"])
    equal(body(brief.get_object(Bucket=BUCKET, Key="a.txt")), TEXT)
    refused(403, "AccessDenied", brief.put_object, Bucket=BUCKET, Key="no", Body=b"")
    refused(403, "InvalidAccessKeyId", client(**keys).list_buckets)
    refused(400, "InvalidToken", client(**keys, aws_session_token="garbage").list_buckets)


@step("IAM: policies are simulated, of the request and of a user")
def _():
    iam = client(service="iam")
    resource = f"arn:aws:s3:::{BUCKET}/a.txt"
    policy = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:Get*", "Resource": resource},
        {"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
    ]}, indent=2)
    asked = {"PolicyInputList": [policy], "ActionNames": ["s3:GetObject", "s3:PutObject"], "ResourceArns": [resource]}
    get, put = iam.simulate_custom_policy(**asked)["EvaluationResults"]
    equal((get["EvalActionName"], get["EvalDecision"]), ("s3:GetObject", "allowed"))
    equal((put["EvalActionName"], put["EvalDecision"]), ("s3:PutObject", "implicitDeny"))
    matched = get["ResourceSpecificResults"][0]["MatchedStatements"]
    equal([statement["SourcePolicyId"] for statement in matched], ["PolicyInputList.1"])
    equal((matched[0]["StartPosition"], matched[0]["EndPosition"]), ({"Line": 4, "Column": 5}, {"Line": 8, "Column": 6}))
    equal(get["ResourceSpecificResults"][0]["EvalResourceName"], resource)
    equal(get["MissingContextValues"], ["aws:SecureTransport"])
    plain = [{"ContextKeyName": "aws:SecureTransport", "ContextKeyValues": ["false"], "ContextKeyType": "boolean"}]
    pages = iam.get_paginator("simulate_custom_policy").paginate(
        **asked, ContextEntries=plain, PaginationConfig={"PageSize": 1}
    )
    pages = [page["EvaluationResults"] for page in pages]
    equal([[result["EvalDecision"] for result in page] for page in pages], [["explicitDeny"], ["explicitDeny"]])
    reader = "arn:aws:iam::111111111111:user/reader"
    asked = {"PolicySourceArn": reader, "ActionNames": ["s3:GetObject", "s3:PutObject"], "ResourceArns": [resource]}
    results = iam.simulate_principal_policy(**asked)["EvaluationResults"]
    equal([result["EvalDecision"] for result in results], ["allowed", "implicitDeny"])
    equal(results[0]["MatchedStatements"][0]["SourcePolicyType"], "user")
    equal(results[0]["EvalDecisionDetails"], {})
    asked["PolicySourceArn"] = "arn:aws:iam::111111111111:user/nobody"
    refused(404, "NoSuchEntity", iam.simulate_principal_policy, **asked)
    action = ["s3:GetObject"]
    refused(400, "InvalidInput", iam.simulate_custom_policy, PolicyInputList=["{"], ActionNames=action)
    refused(
        403, "AccessDenied", client("READER", service="iam").simulate_custom_policy, PolicyInputList=[policy],
        ActionNames=action,
    )


@step("everything is removed, version by version")
def _():
    for bucket in (BUCKET, VERSIONED):
        for page in S3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 5}):
            entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
            objects = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
            equal(S3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True}).get("Errors"), None)
        equal(S3.delete_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"], 204)
    refused(404, "404", S3.head_bucket, Bucket=BUCKET)


def main():
    failed = 0
    going_on = "--keep-going" in sys.argv
    for number, (text, function) in enumerate(STEPS, 1):
        try:
            function()
            print(f"step {number} ok: {text}", flush=True)
        except Exception:
            failed += 1
            traceback.print_exc()
            print(f"step {number} FAILED: {text}", flush=True)
            if not going_on:
                break
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
