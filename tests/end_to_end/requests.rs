//! What workloads ask for, seen from the records: conditions, ranges, pages, uploads in parts, links.

use gatecrash::run_dir::RunDir;
use gatecrash_model::{ClientRecord, Op};

use crate::support::{Desk, turn};

const SCENARIO: &str = "
gatecrash: 1
name: requests
gateway: { embedded: {} }
upstreams: { us-east-1: {} }
buckets: { media: { objects: { count: 500, size: { from-file: sizes.txt } } } }
identities: { me: { allow: { actions: ['s3:*'], resources: ['arn:aws:s3:::media', 'arn:aws:s3:::media/*'] } } }
load:
  readers:
    open: { rate: 100/s, arrivals: even }
    as: me
    sign: presigned
    keys: { hot-set: { keys: 2%, share: 90% } }
    ops:
      GetObject: [{ share: 30%, range: { random: 1KiB } }, { share: 20%, if-none-match: current }]
      HeadObject: { share: 30%, if-match: other }
      ListObjectsV2: { share: 20%, pages: 3 }
  importer:
    open: { rate: 2/s, arrivals: even }
    as: me
    ops: { PutObject: { share: 100%, parts: 2 } }
    timeout: 30s
    client: { expect-continue: 60s } # a part goes out when the gateway has said 100, or never
  late:
    open: { rate: 5/s, arrivals: even }
    as: me
    sign: { presigned: { expires: 10s, age: 60s } }
    ops: { HeadObject: 100% }
timeline: [{ phase: all, for: 2s }]
expect:
  - { match: { op: GetObject }, check: { success-rate: { min: 100% } } }
  - { match: { op: ListObjectsV2 }, check: { success-rate: { min: 100% } } }
  - { match: { op: HeadObject }, check: { statuses: { allow: [412, 403] } } }
  - { check: { head-and-range: {} } }
  - { check: { body-exact: {} } }
  - { check: { upload-once: {} } }
";

#[test]
fn every_kind_of_request_is_recorded_and_judged() {
    let _turn = turn();
    let desk = Desk::new();
    std::fs::write(desk.path().join("requests.yaml"), SCENARIO).expect("scenario");
    std::fs::write(desk.path().join("sizes.txt"), "2KiB 9 # most\n40KiB 1\n").expect("sizes");
    desk.gatecrash(&["run", "requests.yaml"]).exits(0);
    let history = RunDir::open(&desk.run_dir()).and_then(|dir| dir.history()).expect("history");
    let of = |workload: u8| -> Vec<&ClientRecord> {
        history.clients.iter().filter(|c| c.workload == workload).collect()
    };

    let readers = of(0);
    let answered = |op: Op, status: u16| readers.iter().filter(|c| c.op == op && c.status == status).count();
    assert!(answered(Op::GetObject, 206) > 30 && answered(Op::GetObject, 304) > 20);
    assert!(answered(Op::HeadObject, 412) > 30);
    let pages = |step| readers.iter().filter(|c| c.op == Op::ListObjectsV2 && c.k % 3 == step).count();
    assert!(pages(0) > 20 && pages(0) == pages(1) && pages(1) == pages(2), "500 keys have five pages");

    let mut uploads = of(1);
    uploads.sort_by_key(|c| c.k);
    assert_eq!(uploads.len(), 4 * 4, "create, two parts, complete");
    for (number, upload) in uploads.chunks(4).enumerate() {
        let ops: Vec<_> = upload.iter().map(|c| c.op).collect();
        let part = Op::UploadPart;
        assert_eq!(ops, [Op::CreateMultipartUpload, part, part, Op::CompleteMultipartUpload]);
        assert!(upload.iter().zip(0..).all(|(c, step)| c.k == number as u32 * 5 + step && c.status == 200));
    }
    let stored: Vec<_> = history.stored().map(|entry| entry.length).collect();
    assert_eq!(stored, [10 << 20; 4]);
    assert!(of(2).len() == 10 && of(2).iter().all(|c| c.status == 403), "the links are too old");
    desk.expect_nothing_left();
}
