#!/usr/bin/env python3
"""Writes questions to policy engines, one JSON object a line: generate.py SEED > FILE.

250 for each class of operators and each element, 300 for each layer; what is a question is told in ../vectors.rs. Context keys
are global ones, which other engines take with any action, and of the type the operator compares.
"""

import json
import random
import sys

OWN, OTHER = "000000000001", "000000000002"
ROOT = f"arn:aws:iam::{OWN}:root"
USER, SESSION = f"arn:aws:iam::{OWN}:user/app", f"arn:aws:sts::{OWN}:assumed-role/reader/s1"
CALLERS = [USER, SESSION, f"arn:aws:iam::{OTHER}:user/app", f"arn:aws:sts::{OTHER}:assumed-role/reader/s1"]
ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:GetObjectTagging"]
ACTION_PATTERNS = [*ACTIONS, "s3:*", "s3:Get*", "s3:?etObject", "s3:*Object", "S3:getobject", "*"]
NAMES = ("media/a.txt", "media/home/app/1", "media/b/c/d", "logs/a.txt")
RESOURCES = [f"arn:aws:s3:::{name}" for name in NAMES]
RESOURCE_PATTERNS = [
    *RESOURCES,
    "*",
    "arn:aws:s3:::media/*",
    "arn:aws:s3:::*/a.txt",
    "arn:aws:s3:::media/home/${aws:username}/*",
    "arn:aws:s3:::m*",
    "arn:aws:s3:::media/?.txt",
]
PRINCIPALS = [
    "*",
    {"AWS": "*"},
    {"AWS": OWN},
    {"AWS": ROOT},
    {"AWS": USER},
    {"AWS": f"arn:aws:iam::{OWN}:role/reader"},
    {"AWS": SESSION},
    {"AWS": OTHER},
    {"AWS": [f"arn:aws:iam::{OTHER}:user/app", f"arn:aws:iam::{OWN}:user/bob"]},
    {"AWS": f"arn:aws:iam::{OTHER}:role/reader"},
]

ORDERS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
EQUALITIES = ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase")
LIKENESSES = ("Like", "NotLike")
STRING_KEYS = ["aws:UserAgent", "aws:Referer", "aws:SourceVpce"]
PATTERNS = ["a", "A", "ab", "b", "a*", "?b", "*", "home/*", "h${*}", "*${?}*", "?"]
VARIABLES = [
    "${aws:username}",
    "home/${aws:username}",
    "${aws:SourceVpce}",
    "${aws:Referer}*",
    "${aws:PrincipalTag/none, 'ab'}",
    "${aws:PrincipalTag/team}",
    "${$}{aws:username}",
    "${*}",
]
BYTES = ["QQ==", "QUI=", "QUJD", "AAEC", "/+8="]
DATES = ["2026-01-01T00:00:00Z", "2026-06-01T12:00:00Z", "2026-06-01T14:00:00Z", "2027-01-01T00:00:00Z"]
TOPICS = [f"arn:aws:sns:us-east-1:{OWN}:t", f"arn:aws:sns:eu-west-1:{OWN}:top"]
TOPIC_PATTERNS = [TOPICS[0], f"arn:aws:sns:*:{OWN}:t*", "arn:aws:sns:*"]
BUCKET_PATTERNS = [f"arn:aws:{n}" for n in ("s3:::media", "s3:::m?dia", "s3:::*", "*:::media")]
TRUTHS = ["true", "false"]
STRINGS = ["a", "A", "ab", "abc", "b", "home/x", "home/y"]
# For each class: operators, keys, values of requests, values of policies.
CLASSES = {
    "string": ([f"String{n}" for n in EQUALITIES], STRING_KEYS, [*STRINGS, "app"], [*STRINGS, "a*"]),
    "string-like": ([f"String{n}" for n in LIKENESSES], STRING_KEYS, [*STRINGS, "app"], PATTERNS),
    "variables": (
        [f"String{n}" for n in (*EQUALITIES, *LIKENESSES)],
        ["aws:UserAgent", "aws:Referer"],
        [*STRINGS, "app", "home/app", "*", "${aws:username}"],
        VARIABLES,
    ),
    "binary": (["BinaryEquals"], ["aws:SourceAccount"], BYTES, BYTES),
    "numeric": (
        [f"Numeric{n}" for n in ORDERS],
        ["aws:MultiFactorAuthAge"],
        ["0", "1", "5", "10", "11", "100", "2.5"],
        ["0", "1", "5", "10", "11", "100", "2.5"],
    ),
    "date": (
        [f"Date{n}" for n in ORDERS],
        ["aws:CurrentTime", "aws:TokenIssueTime"],
        DATES,
        DATES,
    ),
    "bool": (["Bool"], ["aws:SecureTransport", "aws:MultiFactorAuthPresent"], TRUTHS, TRUTHS),
    "ip": (
        ["IpAddress", "NotIpAddress"],
        ["aws:SourceIp"],
        ["10.1.2.3", "203.0.113.7", "203.0.113.8", "198.51.100.1", "2001:db8::1", "2001:db9::1"],
        ["10.0.0.0/8", "203.0.113.0/24", "203.0.113.7", "203.0.113.7/32", "0.0.0.0/0", "2001:db8::/32"],
    ),
    "arn": (
        ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
        ["aws:SourceArn"],
        [*TOPICS, "arn:aws:s3:::media", "arn:aws:s3:::logs"],
        [*TOPIC_PATTERNS, *BUCKET_PATTERNS],
    ),
    "null": (["Null"], ["aws:UserAgent", "aws:SourceIp", "aws:MultiFactorAuthAge"], [], ["true", "false"]),
}
SETS = {"for-all-values": "ForAllValues:", "for-any-value": "ForAnyValue:"}
ELEMENTS = ["not-action", "not-resource", "not-principal"]
LAYERS = [
    "identity",
    "bucket",
    "same-account",
    "cross",
    "boundary",
    "session",
    "scp",
    "rcp",
    "root",
    "anonymous",
    "bpa",
    "all",
]

draw = random.Random(int(sys.argv[1]) if len(sys.argv) > 1 else 7)


def chance(share):
    return draw.random() < share


def some(values, most):
    """One to `most` values; one stands without a list."""
    chosen = [draw.choice(values) for _ in range(draw.randint(1, most))]
    return chosen[0] if len(chosen) == 1 else chosen


def condition(name):
    if name in SETS:
        operator = SETS[name] + draw.choice(CLASSES["variables"][0])
        return {operator: {"aws:TagKeys": some([*STRINGS, *PATTERNS], 3)}}
    always = name == "if-exists"
    if always:
        name = draw.choice([known for known in CLASSES if known != "null"])
    operators, keys, _, values = CLASSES[name]
    operator, key = draw.choice(operators), draw.choice(keys)
    if name == "null":
        return {operator: {key: draw.choice(values)}}
    return {operator + ("IfExists" if always or chance(0.15) else ""): {key: some(values, 3)}}


def context(names, present=0.7):
    keys = {}
    for name in names:
        for key in CLASSES[name][1]:
            kinds = (n for n, (_, known, values, _) in CLASSES.items() if key in known and values)
            kind = name if CLASSES[name][2] else next(kinds)
            if chance(present):
                keys[key] = draw.choice(CLASSES[kind][2])
    if chance(0.2):
        keys["aws:PrincipalTag/team"] = draw.choice(STRINGS)
    if chance(0.7):
        keys["aws:TagKeys"] = [draw.choice(STRINGS) for _ in range(draw.randint(1, 3))]
    return keys


count = 0


def statement(principals=False, denies=0.15):
    global count
    count += 1
    made = {"Sid": f"s{count}", "Effect": "Deny" if chance(denies) else "Allow"}
    if principals:
        made["Principal"] = draw.choice(PRINCIPALS)
    made["NotAction" if made["Effect"] == "Deny" and chance(0.08) else "Action"] = some(ACTION_PATTERNS, 2)
    made["NotResource" if chance(0.08) else "Resource"] = some(RESOURCE_PATTERNS, 2)
    if chance(0.15):
        made["Condition"] = condition(draw.choice(list(CLASSES)))
    return made


def document(principals=False, full=0.4):
    made = [statement(principals) for _ in range(draw.randint(1, 3))]
    if chance(full):
        everyone = {"Principal": "*"} if principals else {}
        made.append({"Sid": "full", "Effect": "Allow", **everyone, "Action": "*", "Resource": "*"})
    return made


def resource_control():
    """A document as AWS takes it: it only denies, everyone, and not every action."""
    made = statement(True, 1.0)
    made["Principal"] = "*"
    made.pop("NotAction", None)
    made["Action"] = draw.choice(["s3:GetObject", "s3:PutObject", "s3:Delete*"])
    made["Resource"] = made.pop("NotResource", None) or made["Resource"]
    return [made]


def question(name):
    return {
        "class": name,
        "caller": draw.choice(CALLERS),
        "owner": OWN,
        "action": draw.choice(ACTIONS),
        "resource": draw.choice(RESOURCES),
    }


def about_operators(name):
    asked = question(f"operators: {name}")
    asked["caller"] = USER
    effect = draw.choice(["Allow", "Allow", "Deny"])
    conditional = {"Sid": "x", "Effect": effect, "Action": "s3:*", "Resource": "*"}
    if name == "variables" and chance(0.4):
        conditional["Resource"] = f"arn:aws:s3:::media/home/{draw.choice(VARIABLES)}/*"
        asked["resource"] = draw.choice(["arn:aws:s3:::media/home/app/1", "arn:aws:s3:::media/home/ab/1"])
    everything = {"Sid": "all", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    document = [{**conditional, "Condition": condition(name)}] + ([everything] if chance(0.4) else [])
    asked["identity"] = [document]
    if name == "if-exists":
        asked["context"] = context([known for known in CLASSES if known != "null"], 0.5)
    else:
        asked["context"] = context([name] if name in CLASSES else ["string"])
    return asked


def about_elements(name):
    """A statement with the complement of an element, mostly next to one that allows everything."""
    asked = question(f"elements: {name}")
    made = {"Sid": "x", "Effect": draw.choice(["Allow", "Deny"])}
    made["NotAction" if name == "not-action" else "Action"] = some(ACTION_PATTERNS, 2)
    made["NotResource" if name == "not-resource" else "Resource"] = some(RESOURCE_PATTERNS, 2)
    everything = {"Sid": "all", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    asked["caller"] = draw.choice(CALLERS[:2])
    asked["context"] = context(["string"])
    if name != "not-principal":
        asked["identity"] = [[made] + ([everything] if made["Effect"] == "Deny" or chance(0.2) else [])]
        return asked
    # AWS: Deny only, and with the account beside its user, the account and the role beside the session.
    whole = {
        USER: [USER, ROOT],
        SESSION: [SESSION, f"arn:aws:iam::{OWN}:role/reader", ROOT],
        CALLERS[2]: [CALLERS[2], f"arn:aws:iam::{OTHER}:root"],
        CALLERS[3]: [CALLERS[3], f"arn:aws:iam::{OTHER}:role/reader", f"arn:aws:iam::{OTHER}:root"],
    }
    asked["caller"] = draw.choice(CALLERS)
    spared = draw.choice([asked["caller"], draw.choice(CALLERS)])
    made = {**made, "Effect": "Deny", "NotPrincipal": {"AWS": whole[spared]}}
    asked["identity"] = [[everything]]
    asked["bucket"] = [made] + ([{**everything, "Principal": "*"}] if chance(0.8) else [])
    return asked


def about_layers(name):
    asked = question(f"layers: {name}")
    callers = {"cross": CALLERS[2:], "identity": CALLERS[:2], "same-account": CALLERS[:2], "root": [ROOT]}
    callers["session"] = [CALLERS[1], CALLERS[3]]
    callers = {**callers, "anonymous": ["anonymous"], "bpa": [*CALLERS, "anonymous"]}.get(name, CALLERS)
    asked["caller"] = draw.choice(callers)
    if name == "bpa":
        asked["restrict-public"] = True
    if asked["caller"] not in ("anonymous", ROOT):
        asked["identity"] = [document() for _ in range(draw.randint(0, 2))]
    if name not in ("identity", "scp", "rcp") and chance(0.8):
        asked["bucket"] = document(True, 0.2)
    if name in ("boundary", "all") and chance(0.8):
        asked["boundary"] = document()
    if name == "session" or (name == "all" and "assumed-role" in asked["caller"] and chance(0.9)):
        asked["session"] = [document()]
    if name in ("scp", "all") or (name == "root" and chance(0.6)):
        levels = range(draw.randint(1, 3))
        asked["scps"] = [[document(full=0.7) for _ in range(draw.randint(1, 2))] for _ in levels]
    if name in ("rcp", "all") or (name == "root" and chance(0.3)):
        asked["rcps"] = [[resource_control()] for _ in range(draw.randint(1, 2))]
    asked["context"] = context(list(CLASSES))
    return asked


for name in [*CLASSES, "if-exists", *SETS]:
    for _ in range(250):
        print(json.dumps(about_operators(name)))
for name in ELEMENTS:
    for _ in range(250):
        print(json.dumps(about_elements(name)))
for name in LAYERS:
    for _ in range(300):
        print(json.dumps(about_layers(name)))
