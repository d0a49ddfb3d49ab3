//! The settlement part: everything under `/v1`. One file per noun, each with the shapes that it answers and the operations on them.
//!
//! A handler asks for its scope, reads the whole body before it answers what is wrong with it, and makes one commit in which the change, its
//! audit row and the idempotency key stand or fall together. What belongs to another organisation is answered like what does not exist.

pub mod agencies;
pub mod airline_caps;
pub mod airline_claims;
pub mod airline_payments;
pub mod airlines;
pub mod approvals;
pub mod attachments;
pub mod bank_callbacks;
pub mod bank_receipts;
pub mod base_rates;
pub mod cash_proofs;
pub mod cash_transfers;
pub mod commission_explained;
pub mod commission_rules;
pub mod confirmations;
pub mod contracts;
pub mod coupon_status_files;
pub mod coupons;
pub mod credit_payouts;
pub mod cycles;
pub mod defaults;
pub mod disbursements;
pub mod dunning;
pub mod event_stream;
pub mod events;
pub mod exports;
pub mod facilities;
pub mod facility_money;
pub mod facility_statement;
pub mod financial_reviews;
pub mod guarantees;
pub mod incentive_periods;
pub mod incentive_programmes;
mod input;
pub mod invitations;
pub mod jobs;
pub mod keys;
pub mod kill_switches;
pub mod ledger;
pub mod limit_policies;
pub mod limit_questions;
pub mod limits;
pub mod memo_shape;
pub mod memos;
pub mod obligations;
pub mod operations;
pub mod organisations;
pub mod password_resets;
mod passwords;
pub mod payouts;
pub mod people;
pub mod postings;
pub mod private_fares;
pub mod provisions;
pub mod receipts;
pub mod refund_applications;
pub mod refund_shape;
pub mod request_log;
pub mod schedule_changes;
pub mod score_cards;
pub mod scores;
pub mod search;
pub mod second_factors;
pub mod sessions;
pub(in crate::api) mod shape;
mod sight;
pub mod statements;
pub mod tax_payments;
pub mod temporary_limits;
pub mod test_clock;
pub mod tickets;
pub mod users;
pub mod velocity;
pub mod webhook_deliveries;

use actix_web::web::{ServiceConfig, get, post, resource};
use utoipa::OpenApi;

/// The operations under `/v1`.
#[derive(OpenApi)]
#[openapi(
    paths(
        organisations::list_organisations,
        organisations::create_organisation,
        organisations::get_organisation,
        keys::list_keys,
        keys::create_key,
        keys::get_key,
        keys::roll,
        keys::revoke,
        agencies::list_agencies,
        agencies::create_agency,
        agencies::get_agency,
        agencies::close,
        agencies::set_tier,
        agencies::set_hold_limit,
        approvals::list_approvals,
        approvals::request,
        approvals::get_approval,
        approvals::approve,
        approvals::reject,
        airlines::list_airlines,
        airlines::sign,
        airlines::get_airline,
        airlines::list_stock,
        airlines::create_stock,
        airlines::stop,
        airlines::resume,
        contracts::list_contracts,
        contracts::sign,
        contracts::get_contract,
        private_fares::list_private_fares,
        private_fares::file,
        private_fares::get_private_fare,
        commission_rules::list_commission_rules,
        commission_rules::file,
        commission_rules::get_commission_rule,
        commission_explained::explain_commission,
        commission_explained::explain_ticket,
        incentive_programmes::list_incentive_programmes,
        incentive_programmes::open,
        incentive_programmes::get_incentive_programme,
        incentive_periods::list_incentive_periods,
        incentive_periods::get_incentive_period,
        incentive_periods::list_incentive_lines,
        incentive_periods::settle,
        limit_policies::list_limit_policies,
        limit_policies::adopt,
        search::search,
        score_cards::list_score_cards,
        score_cards::adopt,
        scores::list_scores,
        scores::get_score,
        scores::replay,
        financial_reviews::list_financial_reviews,
        financial_reviews::record,
        velocity::list_velocity_rules,
        velocity::adopt,
        velocity::list_velocity_hits,
        bank_receipts::list_bank_receipts,
        bank_receipts::record,
        bank_receipts::get_bank_receipt,
        limits::get_limit,
        limit_questions::what_if,
        limit_questions::review,
        limit_questions::list_limit_alerts,
        guarantees::list_guarantees,
        guarantees::register,
        guarantees::get_guarantee,
        guarantees::release,
        temporary_limits::list_temporary_limits,
        temporary_limits::end,
        kill_switches::list_kill_switches,
        kill_switches::throw_switch,
        payouts::list_payouts,
        payouts::make,
        payouts::get_payout,
        limits::list_exposure,
        facilities::list_facilities,
        facilities::create_facility,
        facilities::get_facility,
        facilities::set_limit,
        facilities::set_days,
        facilities::set_part,
        facilities::close,
        facilities::reopen,
        base_rates::list_base_rates,
        base_rates::publish,
        facility_statement::get_statement,
        facility_statement::get_utilisation,
        provisions::list_provisions,
        facility_money::accrue,
        facility_money::list_accruals,
        facility_money::repay,
        facility_money::list_repayments,
        tax_payments::list_tax_payments,
        tax_payments::pay,
        cash_proofs::list_cash_proofs,
        cash_proofs::get_cash_proof,
        cash_transfers::list_cash_transfers,
        cash_transfers::make,
        cash_transfers::get_cash_transfer,
        cash_transfers::confirm,
        cycles::list_cycles,
        airline_caps::list_airline_caps,
        airline_caps::set_cap,
        obligations::list_obligations,
        obligations::get_obligation,
        obligations::list_charges,
        statements::list_statements,
        statements::get_statement,
        statements::list_lines,
        statements::get_content,
        credit_payouts::list_credit_payouts,
        credit_payouts::pay,
        defaults::list_defaults,
        defaults::get_default,
        defaults::declare,
        dunning::list_contacts,
        dunning::set_contact,
        dunning::list_messages,
        jobs::list_jobs,
        jobs::list_runs,
        jobs::run,
        airline_claims::list_airline_claims,
        memos::list_memo_reasons,
        memos::list_memos,
        memos::claim,
        memos::get_memo,
        memos::review,
        memos::accept,
        memos::dispute,
        memos::withdraw_dispute,
        memos::answer,
        memos::withdraw,
        airline_payments::list_airline_payments,
        airline_payments::pay,
        refund_applications::list_refund_applications,
        refund_applications::create_refund_application,
        refund_applications::get_refund_application,
        refund_applications::confirm,
        refund_applications::decide,
        attachments::list_attachments,
        attachments::create_attachment,
        attachments::get_attachment,
        attachments::get_attachment_content,
        exports::list_exports,
        exports::make_export,
        exports::get_export,
        exports::get_export_content,
        disbursements::list_disbursements,
        disbursements::get_disbursement,
        tickets::list_tickets,
        tickets::get_ticket,
        receipts::get_order_receipt,
        receipts::get_ticket_receipt,
        receipts::send_order_receipt,
        receipts::list_receipt_emails,
        coupons::report,
        schedule_changes::list_schedule_changes,
        schedule_changes::file,
        schedule_changes::get_schedule_change,
        coupon_status_files::list_coupon_status_files,
        coupon_status_files::send,
        coupon_status_files::get_coupon_status_file,
        coupon_status_files::list_lines,
        ledger::list_accounts,
        ledger::get_account,
        ledger::list_entries,
        postings::list_postings,
        postings::get_posting,
        ledger::get_trial_balance,
        event_stream::stream_events,
        events::list_events,
        events::get_event,
        webhook_deliveries::list_webhook_deliveries,
        webhook_deliveries::get_webhook_delivery,
        webhook_deliveries::redeliver_one,
        webhook_deliveries::redeliver_many,
        request_log::list_request_log,
        test_clock::get_test_clock,
        test_clock::set_test_clock,
        operations::get_operation,
        bank_callbacks::receive,
    ),
    components(schemas(refund_applications::RefundRehearsal))
)]
pub struct V1Description;

pub fn configure(config: &mut ServiceConfig) {
    people::configure(config);
    parties(config);
    agreed(config);
    limit_terms(config);
    money(config);
    scores::configure(config);
    settlement(config);
    cycles::configure(config);
    tickets(config);
    refunds(config);
    memos::configure(config);
    events::configure(config);
    config
        .service(resource("/v1/tickets/{number}/commission").route(get().to(commission_explained::explain_ticket)))
        .service(resource("/v1/ledger/accounts").route(get().to(ledger::list_accounts)))
        .service(resource("/v1/ledger/accounts/{id}").route(get().to(ledger::get_account)))
        .service(resource("/v1/ledger/accounts/{id}/entries").route(get().to(ledger::list_entries)))
        .service(resource("/v1/ledger/postings").route(get().to(postings::list_postings)))
        .service(resource("/v1/ledger/postings/{id}").route(get().to(postings::get_posting)))
        .service(resource("/v1/ledger/trial_balance").route(get().to(ledger::get_trial_balance)))
        .service(
            resource("/v1/test_clock").route(get().to(test_clock::get_test_clock)).route(post().to(test_clock::set_test_clock)),
        )
        .service(resource("/v1/operations/{id}").route(get().to(operations::get_operation)))
        .service(resource("/v1/bank_callbacks/{mode}").route(post().to(bank_callbacks::receive)));
}

/// What was sold, and what airlines say about it.
fn tickets(config: &mut ServiceConfig) {
    config
        .service(resource("/v1/search").route(get().to(search::search)))
        .service(resource("/v1/tickets").route(get().to(tickets::list_tickets)))
        .service(resource("/v1/tickets/{number}").route(get().to(tickets::get_ticket)))
        .service(resource("/v1/tickets/{number}/receipt").route(get().to(receipts::get_ticket_receipt)))
        .service(resource("/v1/orders/{id}/receipt").route(get().to(receipts::get_order_receipt)))
        .service(
            resource("/v1/orders/{id}/receipt_emails")
                .route(get().to(receipts::list_receipt_emails))
                .route(post().to(receipts::send_order_receipt)),
        )
        .service(resource("/v1/tickets/{number}/coupons/{coupon}/status").route(post().to(coupons::report)))
        .service(
            resource("/v1/coupon_status_files")
                .route(get().to(coupon_status_files::list_coupon_status_files))
                .route(post().to(coupon_status_files::send)),
        )
        .service(
            resource("/v1/schedule_changes")
                .route(get().to(schedule_changes::list_schedule_changes))
                .route(post().to(schedule_changes::file)),
        )
        .service(resource("/v1/schedule_changes/{id}").route(get().to(schedule_changes::get_schedule_change)))
        .service(resource("/v1/coupon_status_files/{id}").route(get().to(coupon_status_files::get_coupon_status_file)))
        .service(resource("/v1/coupon_status_files/{id}/lines").route(get().to(coupon_status_files::list_lines)));
}

/// What comes back of tickets.
fn refunds(config: &mut ServiceConfig) {
    config
        .service(
            resource("/v1/refund_applications")
                .route(get().to(refund_applications::list_refund_applications))
                .route(post().to(refund_applications::create_refund_application)),
        )
        .service(resource("/v1/refund_applications/{id}").route(get().to(refund_applications::get_refund_application)))
        .service(resource("/v1/refund_applications/{id}/actions/confirm").route(post().to(refund_applications::confirm)))
        .service(resource("/v1/refund_applications/{id}/actions/decide").route(post().to(refund_applications::decide)))
        .service(
            resource("/v1/attachments")
                .route(get().to(attachments::list_attachments))
                .route(post().to(attachments::create_attachment)),
        )
        .service(resource("/v1/attachments/{id}").route(get().to(attachments::get_attachment)))
        .service(resource("/v1/attachments/{id}/content").route(get().to(attachments::get_attachment_content)));
}

/// Who trades, with which keys and on which terms.
fn parties(config: &mut ServiceConfig) {
    config
        .service(
            resource("/v1/organisations")
                .route(get().to(organisations::list_organisations))
                .route(post().to(organisations::create_organisation)),
        )
        .service(resource("/v1/organisations/{id}").route(get().to(organisations::get_organisation)))
        .service(resource("/v1/keys").route(get().to(keys::list_keys)).route(post().to(keys::create_key)))
        .service(resource("/v1/keys/{id}").route(get().to(keys::get_key)))
        .service(resource("/v1/keys/{id}/actions/roll").route(post().to(keys::roll)))
        .service(resource("/v1/keys/{id}/actions/revoke").route(post().to(keys::revoke)))
        .service(resource("/v1/agencies").route(get().to(agencies::list_agencies)).route(post().to(agencies::create_agency)))
        .service(resource("/v1/agencies/{id}").route(get().to(agencies::get_agency)))
        .service(resource("/v1/agencies/{id}/actions/close").route(post().to(agencies::close)))
        .service(resource("/v1/agencies/{id}/actions/set_tier").route(post().to(agencies::set_tier)))
        .service(resource("/v1/agencies/{id}/actions/set_hold_limit").route(post().to(agencies::set_hold_limit)))
        .service(resource("/v1/airlines").route(get().to(airlines::list_airlines)).route(post().to(airlines::sign)))
        .service(resource("/v1/airlines/{id}").route(get().to(airlines::get_airline)))
        .service(
            resource("/v1/airlines/{id}/stock").route(get().to(airlines::list_stock)).route(post().to(airlines::create_stock)),
        )
        .service(resource("/v1/airlines/{id}/actions/stop").route(post().to(airlines::stop)))
        .service(resource("/v1/airlines/{id}/actions/resume").route(post().to(airlines::resume)))
        .service(resource("/v1/contracts").route(get().to(contracts::list_contracts)).route(post().to(contracts::sign)))
        .service(resource("/v1/contracts/{id}").route(get().to(contracts::get_contract)))
        .service(
            resource("/v1/private_fares")
                .route(get().to(private_fares::list_private_fares))
                .route(post().to(private_fares::file)),
        )
        .service(resource("/v1/private_fares/{id}").route(get().to(private_fares::get_private_fare)))
        .service(
            resource("/v1/commission_rules")
                .route(get().to(commission_rules::list_commission_rules))
                .route(post().to(commission_rules::file)),
        )
        .service(resource("/v1/commission_rules/explain").route(post().to(commission_explained::explain_commission)))
        .service(resource("/v1/commission_rules/{id}").route(get().to(commission_rules::get_commission_rule)));
}

/// What a limit is made of, and client money that goes back.
fn limit_terms(config: &mut ServiceConfig) {
    config
        .service(resource("/v1/limits/{agency}/what_if").route(post().to(limit_questions::what_if)))
        .service(resource("/v1/limits/{agency}/actions/review").route(post().to(limit_questions::review)))
        .service(resource("/v1/limit_alerts").route(get().to(limit_questions::list_limit_alerts)))
        .service(resource("/v1/guarantees").route(get().to(guarantees::list_guarantees)).route(post().to(guarantees::register)))
        .service(resource("/v1/guarantees/{id}").route(get().to(guarantees::get_guarantee)))
        .service(resource("/v1/guarantees/{id}/actions/release").route(post().to(guarantees::release)))
        .service(resource("/v1/temporary_limits").route(get().to(temporary_limits::list_temporary_limits)))
        .service(resource("/v1/temporary_limits/{id}/actions/end").route(post().to(temporary_limits::end)))
        .service(resource("/v1/payouts").route(get().to(payouts::list_payouts)).route(post().to(payouts::make)))
        .service(resource("/v1/payouts/{id}").route(get().to(payouts::get_payout)));
}

/// What two people have to agree on, and what one stops.
fn agreed(config: &mut ServiceConfig) {
    config
        .service(resource("/v1/approvals").route(get().to(approvals::list_approvals)).route(post().to(approvals::request)))
        .service(resource("/v1/approvals/{id}").route(get().to(approvals::get_approval)))
        .service(resource("/v1/approvals/{id}/actions/approve").route(post().to(approvals::approve)))
        .service(resource("/v1/approvals/{id}/actions/reject").route(post().to(approvals::reject)))
        .service(
            resource("/v1/kill_switches")
                .route(get().to(kill_switches::list_kill_switches))
                .route(post().to(kill_switches::throw_switch)),
        );
}

/// What comes in, what may be owed, and what pays the airlines.
fn money(config: &mut ServiceConfig) {
    config
        .service(
            resource("/v1/limit_policies")
                .route(get().to(limit_policies::list_limit_policies))
                .route(post().to(limit_policies::adopt)),
        )
        .service(
            resource("/v1/bank_receipts")
                .route(get().to(bank_receipts::list_bank_receipts))
                .route(post().to(bank_receipts::record)),
        )
        .service(resource("/v1/bank_receipts/{id}").route(get().to(bank_receipts::get_bank_receipt)))
        .service(resource("/v1/limits/{agency}").route(get().to(limits::get_limit)))
        .service(resource("/v1/exposure").route(get().to(limits::list_exposure)))
        .service(
            resource("/v1/facilities").route(get().to(facilities::list_facilities)).route(post().to(facilities::create_facility)),
        )
        .service(resource("/v1/facilities/{id}").route(get().to(facilities::get_facility)))
        .service(resource("/v1/facilities/{id}/actions/set_limit").route(post().to(facilities::set_limit)))
        .service(resource("/v1/facilities/{id}/actions/set_availability").route(post().to(facilities::set_days)))
        .service(resource("/v1/facilities/{id}/actions/set_sublimit").route(post().to(facilities::set_part)))
        .service(resource("/v1/facilities/{id}/actions/close").route(post().to(facilities::close)))
        .service(resource("/v1/facilities/{id}/actions/reopen").route(post().to(facilities::reopen)))
        .service(resource("/v1/disbursements").route(get().to(disbursements::list_disbursements)))
        .service(resource("/v1/disbursements/{id}").route(get().to(disbursements::get_disbursement)));
}

/// How sales are settled: with agencies, banks, authorities and airlines.
fn settlement(config: &mut ServiceConfig) {
    config
        .service(resource("/v1/cash_proofs").route(get().to(cash_proofs::list_cash_proofs)))
        .service(resource("/v1/cash_proofs/{id}").route(get().to(cash_proofs::get_cash_proof)))
        .service(resource("/v1/provisions").route(get().to(provisions::list_provisions)))
        .service(resource("/v1/base_rates").route(get().to(base_rates::list_base_rates)).route(post().to(base_rates::publish)))
        .service(resource("/v1/facilities/{id}/statement").route(get().to(facility_statement::get_statement)))
        .service(resource("/v1/facilities/{id}/utilisation").route(get().to(facility_statement::get_utilisation)))
        .service(
            resource("/v1/facilities/{id}/accruals")
                .route(get().to(facility_money::list_accruals))
                .route(post().to(facility_money::accrue)),
        )
        .service(
            resource("/v1/facilities/{id}/repayments")
                .route(get().to(facility_money::list_repayments))
                .route(post().to(facility_money::repay)),
        )
        .service(
            resource("/v1/tax_payments").route(get().to(tax_payments::list_tax_payments)).route(post().to(tax_payments::pay)),
        )
        .service(
            resource("/v1/cash_transfers")
                .route(get().to(cash_transfers::list_cash_transfers))
                .route(post().to(cash_transfers::make)),
        )
        .service(resource("/v1/cash_transfers/{id}").route(get().to(cash_transfers::get_cash_transfer)))
        .service(resource("/v1/cash_transfers/{id}/actions/confirm").route(post().to(cash_transfers::confirm)))
        .service(
            resource("/v1/incentive_programmes")
                .route(get().to(incentive_programmes::list_incentive_programmes))
                .route(post().to(incentive_programmes::open)),
        )
        .service(resource("/v1/incentive_programmes/{id}").route(get().to(incentive_programmes::get_incentive_programme)))
        .service(resource("/v1/incentive_periods").route(get().to(incentive_periods::list_incentive_periods)))
        .service(resource("/v1/incentive_periods/{id}").route(get().to(incentive_periods::get_incentive_period)))
        .service(resource("/v1/incentive_periods/{id}/lines").route(get().to(incentive_periods::list_incentive_lines)))
        .service(resource("/v1/incentive_settlements").route(post().to(incentive_periods::settle)))
        .service(
            resource("/v1/airline_caps").route(get().to(airline_caps::list_airline_caps)).route(post().to(airline_caps::set_cap)),
        )
        .service(resource("/v1/airline_claims").route(get().to(airline_claims::list_airline_claims)))
        .service(resource("/v1/exports").route(get().to(exports::list_exports)).route(post().to(exports::make_export)))
        .service(resource("/v1/exports/{id}").route(get().to(exports::get_export)))
        .service(resource("/v1/exports/{id}/content").route(get().to(exports::get_export_content)));
}
