//! The script: subjects in an order in which none disturbs a later one.

mod batches;
mod clients;
mod codes;
mod delays;
mod farewell;
mod frames;
mod headers_binary;
mod headers_json;
mod headers_json_texts;
mod key_values;
mod limits;
mod queries;
mod requests;
mod retries;
mod routes;
mod send_fields;
mod send_refusals;
mod sends;
mod settings;
mod topics;
mod transactions;

use super::step::Step;

pub(crate) use farewell::farewell;

/// All steps, in their order.
pub(crate) fn script() -> Vec<Step> {
    let subjects = [
        routes::steps(),
        key_values::steps(),
        frames::steps(),
        headers_json::steps(),
        headers_json_texts::steps(),
        headers_binary::steps(),
        codes::steps(),
        topics::steps(),
        sends::steps(),
        send_fields::steps(),
        send_refusals::steps(),
        limits::steps(),
        batches::steps(),
        delays::steps(),
        retries::steps(),
        transactions::steps(),
        queries::steps(),
        clients::steps(),
        farewell::preparation(),
        settings::steps(),
    ];
    subjects.into_iter().flatten().collect()
}
