//! goose by itself as an HTTP client, as its own examples use it: users who read one object again and again. What a
//! request costs it is measured beside the others by `benches/load-peers`.
//!
//! Takes goose's own command line, such as `--host http://127.0.0.1:8080 --users 64 --run-time 4`.

use goose::prelude::{
    GooseAttack, GooseError, GooseUser, Scenario, Transaction, TransactionResult, scenario, transaction,
};

#[tokio::main]
async fn main() -> Result<(), GooseError> {
    let reading = scenario!("reading").register_transaction(transaction!(read));
    GooseAttack::initialize()?.register_scenario(reading).execute().await.map(drop)
}

/// To the last byte: a connection is free again only then.
async fn read(user: &mut GooseUser) -> TransactionResult {
    let answer = user.get("/bench/object-0").await?;
    answer.response?.bytes().await?;
    Ok(())
}
