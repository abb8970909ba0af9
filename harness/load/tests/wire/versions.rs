//! Objects that change: which version an answer is of, told by its bytes and its ETag.

use gatecrash_load::workload::{Condition, Tag};
use gatecrash_load::{OpPlan, RequestPlan};
use gatecrash_model::{BodyCheck, ClientRecord, Lineage, Nanos, Pool, VersionRecord};

use crate::script::{Bench, Step, scripted};
use crate::support::{GET, answer, workload};

const EVERY: Nanos = 1_000_000_000;
/// When requests are due: version 5 of every object, or the next one.
const DUE: Nanos = 5 * EVERY;

/// What a whole object of a version looks like on the wire, under an ETag.
fn whole(lineage: Lineage, pool: &Pool, body: u32, tag: u32) -> Vec<u8> {
    let head = format!("200 OK\ncontent-length: 1000\netag: \"{}\"", lineage.etag(tag));
    answer(&head, lineage.content(pool, body).chunk(pool, 0, 1000))
}

/// The first object, its current version, and what is recorded when this answer comes.
async fn seen(
    op: OpPlan,
    wire: impl FnOnce(Lineage, &Pool, u32) -> Vec<u8>,
) -> (ClientRecord, Vec<VersionRecord>, Bench) {
    let pool = Pool::new(7);
    let mut changing = workload(op);
    changing.population.change_every = Some(EVERY);
    let lineage = changing.population.lineage("img/000").unwrap();
    let current = lineage.at(DUE);
    let addr = scripted(vec![vec![Step::Read, Step::Write(wire(lineage, &pool, current))]]).await;
    let bench = Bench::new(addr, changing);
    let plan: RequestPlan = bench.workload.plan_at(&bench.pool, 0, DUE);
    let record = bench.client.exchange(&plan, DUE).await;
    let versions = bench.sink.kept().versions;
    (record, versions, bench)
}

#[tokio::test]
async fn an_answer_is_of_the_version_that_its_bytes_are() {
    // How far from the version that is current when the request is due.
    for by in [0i64, 1, 2, -1, -5] {
        let version = |current: u32| u32::try_from(i64::from(current) + by).unwrap();
        let (record, seen, bench) =
            seen(GET, |lineage, pool, current| whole(lineage, pool, version(current), version(current)))
                .await;
        let current = bench.workload.population.lineage("img/000").unwrap().at(DUE);
        let number = version(current) + 1;
        let shown = VersionRecord { request: record.id().pack(), body: number, then: 0, tag: number };
        assert_eq!((record.shape.body(), seen), (BodyCheck::Exact, vec![shown]), "by {by}");
        assert!(record.is_success() && bench.sink.kept().evidence.is_empty(), "any version is whole");
    }
}

#[tokio::test]
async fn bytes_of_two_versions_are_told_from_other_wrong_bytes() {
    let mixed = |cut: usize| {
        move |lineage: Lineage, pool: &Pool, current: u32| {
            let mut wire = whole(lineage, pool, current - 1, current - 1);
            let body = wire.len() - 1000;
            wire.truncate(body + cut);
            wire.extend_from_slice(lineage.content(pool, current).chunk(pool, cut as u64, 1000 - cut));
            wire
        }
    };
    for cut in [16, 400, 900] {
        let (record, seen, bench) = seen(GET, mixed(cut)).await;
        let lineage = bench.workload.population.lineage("img/000").unwrap();
        let current = lineage.at(DUE);
        assert_eq!((record.shape.body(), record.is_success()), (BodyCheck::Mixed, false), "{cut}");
        assert_eq!((seen[0].body(), seen[0].then()), (Some(current - 1), Some(current)), "{cut}");
        let evidence = bench.sink.kept().evidence.remove(0);
        let note = format!(
            "bytes of version {} of the object up to byte {cut}, then of version {current}",
            current - 1
        );
        assert_eq!((evidence.mismatch, evidence.note), (Some(cut as u64), note));
    }
    let (record, ..) = seen(GET, |lineage, pool, current| {
        let mut wire = whole(lineage, pool, current, current);
        let last = wire.len() - 1;
        wire[last] ^= 1;
        wire
    })
    .await;
    assert_eq!(record.shape.body(), BodyCheck::Wrong);
    let (record, seen, _) = seen(GET, |lineage, pool, current| {
        let other = pool.content("media", "img/007", 0).chunk(pool, 0, 1000);
        let mut wire = whole(lineage, pool, current, current);
        wire.truncate(wire.len() - 1000);
        wire.extend_from_slice(other);
        wire
    })
    .await;
    assert_eq!((record.shape.body(), seen[0].body()), (BodyCheck::Other, None));
}

#[tokio::test]
async fn an_etag_may_name_another_version_than_the_bytes() {
    let (record, seen, bench) =
        seen(GET, |lineage, pool, current| whole(lineage, pool, current - 1, current)).await;
    let current = bench.workload.population.lineage("img/000").unwrap().at(DUE);
    assert!(record.is_success());
    assert_eq!((seen[0].body(), seen[0].tag()), (Some(current - 1), Some(current)));
}

#[tokio::test]
async fn a_304_is_of_the_version_that_was_named() {
    let ask = |tag| OpPlan::Conditional { of: Box::new(GET), condition: Condition::IfNoneMatch(tag) };
    for (tag, by) in [(Tag::Current, 0), (Tag::Previous, 1)] {
        let (record, seen, bench) = seen(ask(tag), |_, _, _| answer("304 Not Modified", b"")).await;
        let lineage = bench.workload.population.lineage("img/000").unwrap();
        let named = lineage.at(DUE) - by;
        let plan = bench.workload.plan_at(&bench.pool, 0, DUE);
        assert_eq!(plan.condition, Some(("if-none-match", format!("\"{}\"", lineage.etag(named)))));
        assert!(record.is_success(), "{record:?}");
        assert_eq!((seen[0].body(), seen[0].served()), (None, Some(named)));
    }
    let first = |tag| {
        let mut changing = workload(ask(tag));
        changing.population.change_every = Some(EVERY);
        std::sync::Arc::new(changing).plan_at(&Pool::new(7), 0, 0)
    };
    assert_eq!(first(Tag::Previous).due, 0, "there was none before the first");
    assert_eq!(first(Tag::Current).due, ClientRecord::NOT_MODIFIED_DUE);
}

#[tokio::test]
async fn nothing_is_recorded_of_errors_and_of_what_does_not_change() {
    let (record, seen, _) = seen(GET, |_, _, _| answer("503 Busy\ncontent-length: 0", b"")).await;
    assert_eq!((record.status, seen.len()), (503, 0));
    let bench = Bench::new("127.0.0.1:1".parse().unwrap(), workload(GET));
    let addr = scripted(vec![vec![Step::Read, Step::Write(bench.answer(0))]]).await;
    let bench = Bench::new(addr, workload(GET));
    assert!(bench.run(0).await.is_success() && bench.sink.kept().versions.is_empty());
}
