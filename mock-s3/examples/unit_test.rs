//! How a project tests its S3 code against the mock, with the official client: `cargo run --example unit_test`.

use std::error::Error;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::{Client, Config};
use aws_smithy_http_client::Builder;
use gatecrash_mock_s3::{MockS3, Rule};
use gatecrash_model::Op;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // A mock in one line.
    let mock = MockS3::builder().bucket("media").identity("app", "AKIDEXAMPLE", "secret").start().await?;

    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(mock.endpoint())
        .force_path_style(true)
        .credentials_provider(Credentials::new("AKIDEXAMPLE", "secret", None, None, "example"))
        .http_client(Builder::new().build_http())
        .build();
    let client = Client::from_conf(config);

    // The code under test: two failures are to be survived.
    mock.faults().add(Rule::error("SlowDown").op(Op::PutObject).first(2))?;
    client.put_object().bucket("media").key("hello").body(ByteStream::from_static(b"world")).send().await?;
    let got = client.get_object().bucket("media").key("hello").send().await?;
    assert_eq!(got.body.collect().await?.into_bytes(), "world");

    // What S3 saw of it.
    let puts = mock.journal().requests().of(Op::PutObject).on("media");
    assert_eq!(puts.count(), 3);
    assert_eq!(puts.clone().status(503).code("SlowDown").count(), 2);
    let attempts: Vec<_> = puts.iter().map(|put| put.attempt).collect();
    assert_eq!(attempts, [Some(1), Some(2), Some(3)]);
    assert_eq!(puts.status(200).only().map(|put| put.received), Some(5));

    // The next test begins where this one began.
    mock.reset()?;
    assert_eq!(mock.journal().requests().count(), 0);
    println!("three attempts, one object");
    Ok(())
}
