use super::*;

const KEY: [u8; 32] = [7; 32];

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_str(v).unwrap())).collect()
}

/// The headers of a customer's key, by names.
fn keyed(names: &KeyHeaders, key: &[u8; 32]) -> HeaderMap {
    let value = |text: &str| HeaderValue::from_str(text).unwrap();
    [
        (names.algorithm.clone(), AES256),
        (names.key.clone(), value(&STANDARD.encode(key))),
        (names.md5.clone(), value(&STANDARD.encode(Md5::digest(key)))),
    ]
    .into_iter()
    .collect()
}

#[test]
fn what_writes_ask_for() {
    let of = |pairs: &[(&'static str, &str)]| of_write(&headers(pairs), "us-east-1", "000000000001");
    assert_eq!(of(&[]).unwrap(), []);
    assert_eq!(of(&[("x-amz-server-side-encryption", "AES256")]).unwrap(), []);
    let kms = of(&[
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "abc"),
    ]);
    assert_eq!(kms.unwrap()[1].1, "arn:aws:kms:us-east-1:000000000001:key/abc");
    assert_eq!(of(&[("x-amz-server-side-encryption", "aws:kms")]).unwrap().len(), 2);
    let refused: [&[(&'static str, &str)]; 4] = [
        &[("x-amz-server-side-encryption", "aes:kms")],
        &[("x-amz-server-side-encryption-aws-kms-key-id", "abc")],
        &[("x-amz-server-side-encryption", "AES256"), ("x-amz-server-side-encryption-aws-kms-key-id", "abc")],
        &[("x-amz-server-side-encryption-customer-algorithm", "AES256")],
    ];
    for pairs in refused {
        assert_eq!(of(pairs).unwrap_err().code, "InvalidArgument", "{pairs:?}");
    }
    let mut both = keyed(&OF_OBJECT, &KEY);
    both.insert(METHOD, AES256);
    assert_eq!(of_write(&both, "r", "a").unwrap_err().code, "InvalidArgument");
}

#[test]
fn customer_keys_are_asked_for_again() {
    let kept = of_write(&keyed(&OF_OBJECT, &KEY), "r", "a").unwrap();
    let code = |headers: &HeaderMap, kept: &Encryption| {
        unlock(headers, &OF_OBJECT, kept).map_err(|error| error.code.into_owned())
    };
    assert_eq!(code(&keyed(&OF_OBJECT, &KEY), &kept), Ok(()));
    assert_eq!(code(&HeaderMap::new(), &Encryption::new()), Ok(()));
    assert_eq!(code(&HeaderMap::new(), &kept), Err("InvalidRequest".into()));
    assert_eq!(code(&keyed(&OF_OBJECT, &KEY), &Encryption::new()), Err("InvalidRequest".into()));
    assert_eq!(code(&keyed(&OF_OBJECT, &[8; 32]), &kept), Err("AccessDenied".into()));
    assert_eq!(unlock(&keyed(&OF_SOURCE, &KEY), &OF_SOURCE, &kept).map_err(|e| e.code), Ok(()));
    for (name, value, wanted) in [
        (&OF_OBJECT.md5, "eA==", "InvalidArgument"),
        (&OF_OBJECT.key, "eA==", "InvalidArgument"),
        (&OF_OBJECT.algorithm, "AES128", "InvalidEncryptionAlgorithmError"),
    ] {
        let mut broken = keyed(&OF_OBJECT, &KEY);
        broken.insert(name, HeaderValue::from_static(value));
        assert_eq!(code(&broken, &kept), Err(wanted.into()), "{name}");
    }
}

#[test]
fn etags_hide_what_is_encrypted() {
    let kept = of_write(&keyed(&OF_OBJECT, &KEY), "r", "a").unwrap();
    assert_eq!(etag(&[0; 16], &Encryption::new()), "0".repeat(32));
    assert_ne!(etag(&[0; 16], &kept), "0".repeat(32));
    assert_eq!(etag(&[0; 16], &kept).len(), 32);
}
