//! The REST API under `/api/v1`: a file per resource, one line per route in [`routes`]. The document that describes it
//! (`console/openapi.json`) is generated from the handlers and committed; a test fails when it is stale.

pub mod access;
pub mod agencies;
pub mod agency_notices;
pub mod agency_work;
pub mod alerts;
pub mod case_evidence;
pub mod case_work;
pub mod cases;
pub mod escalations;
pub mod extract;
pub mod groups;
pub mod handovers;
pub mod health;
pub mod live;
pub mod notices;
pub mod openid;
pub mod overview;
pub mod packets;
pub mod problem;
pub mod records;
pub mod register;
pub mod reports;
pub mod rosters;
pub mod search;
pub mod sensors;
pub mod session;
pub mod suppressions;
pub mod users;
pub mod views;

use std::sync::Arc;

use utoipa::OpenApi;
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::model::{AlertsChanged, CaseChanged, VisibilityNow};

/// What is said of the API as a whole, and the types that only the live stream uses.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lũy Tre console",
        description = "The console's REST interface. Log in with POST /api/v1/session; every change must carry the \
                       session's csrf_token as x-csrf-token. Times are RFC 3339 UTC.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(AlertsChanged, CaseChanged, VisibilityNow, crate::register::Table))
)]
struct Description;

/// Every route.
pub fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(health::get_health))
        .routes(routes!(session::get_setup, session::post_setup))
        .routes(routes!(session::get_session, session::log_in, session::change_session, session::log_out))
        .routes(routes!(session::change_password))
        .routes(routes!(openid::get_openid, openid::begin_log_in))
        .routes(routes!(openid::finish_log_in))
        .routes(routes!(openid::get_identity, openid::begin_link, openid::finish_link, openid::remove_link))
        .routes(routes!(access::propose_code, access::confirm_code, access::remove_code))
        .routes(routes!(access::list_tokens, access::make_token))
        .routes(routes!(access::revoke_token))
        .routes(routes!(alerts::list_alerts))
        .routes(routes!(groups::list_groups))
        .routes(routes!(groups::bulk_alerts))
        .routes(routes!(groups::undo_act))
        .routes(routes!(alerts::get_alert))
        .routes(routes!(alerts::get_related))
        .routes(routes!(packets::get_packets))
        .routes(routes!(alerts::close_alert))
        .routes(routes!(alerts::reopen_alert))
        .routes(routes!(alerts::assign_alert))
        .routes(routes!(alerts::escalate_alert))
        .routes(routes!(alerts::note_alert))
        .routes(routes!(alerts::watch_alert))
        .routes(routes!(views::list_views, views::save_view))
        .routes(routes!(views::delete_view))
        .routes(routes!(suppressions::list_suppressions, suppressions::make_suppression))
        .routes(routes!(suppressions::preview_suppression))
        .routes(routes!(suppressions::end_suppression))
        .routes(routes!(cases::list_cases, cases::open_case))
        .routes(routes!(cases::get_case, cases::change_case))
        .routes(routes!(cases::add_note))
        .routes(routes!(cases::link_alerts))
        .routes(routes!(case_work::get_case_data))
        .routes(routes!(case_work::enter_phase))
        .routes(routes!(case_work::add_task))
        .routes(routes!(case_work::change_task))
        .routes(routes!(case_work::apply_template))
        .routes(routes!(case_work::add_case_event))
        .routes(routes!(case_work::add_observables))
        .routes(routes!(case_work::remove_observable))
        .routes(routes!(case_work::get_sightings))
        .routes(routes!(case_work::add_system))
        .routes(routes!(case_work::remove_system))
        .routes(routes!(case_work::restrict_case))
        .routes(routes!(case_work::link_case))
        .routes(routes!(case_work::unlink_case))
        .routes(routes!(case_work::merge_case))
        .routes(routes!(case_work::similar_cases))
        .routes(routes!(case_evidence::seal_evidence))
        .routes(routes!(case_evidence::read_evidence))
        .routes(routes!(case_evidence::release_evidence))
        .routes(routes!(agency_notices::draft_notice))
        .routes(routes!(agency_notices::discard_notice))
        .routes(routes!(agency_notices::send_notice))
        .routes(routes!(agency_notices::message_agency))
        .routes(routes!(agency_notices::remind_agency))
        .routes(routes!(agency_notices::end_notice))
        .routes(routes!(agency_notices::begin_document))
        .routes(routes!(agency_notices::get_document, agency_notices::put_document, agency_notices::drop_document))
        .routes(routes!(agency_notices::read_upload))
        .routes(routes!(agency_work::list_agency_work))
        .routes(routes!(agency_work::get_agency_work))
        .routes(routes!(agency_work::confirm_notice))
        .routes(routes!(agency_work::answer_notice))
        .routes(routes!(agency_work::remediate_notice))
        .routes(routes!(agency_work::begin_file))
        .routes(routes!(agency_work::get_file, agency_work::put_piece, agency_work::drop_file))
        .routes(routes!(case_work::list_tasks))
        .routes(routes!(case_work::get_inbox))
        .routes(routes!(case_work::see_inbox))
        .routes(routes!(search::search_events))
        .routes(routes!(search::get_catalogue))
        .routes(routes!(sensors::list_sensors))
        .routes(routes!(sensors::create_token))
        .routes(routes!(sensors::revoke_sensor))
        .routes(routes!(sensors::get_ledger))
        .routes(routes!(sensors::list_rules))
        .routes(routes!(sensors::get_rule))
        .routes(routes!(agencies::list_agencies, agencies::add_agency))
        .routes(routes!(agencies::get_agency, agencies::change_agency))
        .routes(routes!(agencies::add_record))
        .routes(routes!(agencies::change_record, agencies::remove_record))
        .routes(routes!(agencies::verify_contact))
        .routes(routes!(agencies::list_records))
        .routes(routes!(register::get_register))
        .routes(routes!(register::export_table))
        .routes(routes!(register::import_table))
        .routes(routes!(users::list_users, users::add_user))
        .routes(routes!(users::change_user))
        .routes(routes!(reports::list_reports))
        .routes(routes!(reports::get_report))
        .routes(routes!(records::list_audit))
        .routes(routes!(records::get_chain))
        .routes(routes!(records::verify_chain))
        .routes(routes!(records::export_chain))
        .routes(routes!(notices::list_notices))
        .routes(routes!(notices::get_alarms))
        .routes(routes!(notices::list_notice_rules, notices::add_notice_rule))
        .routes(routes!(notices::change_notice_rule, notices::delete_notice_rule))
        .routes(routes!(notices::try_notice_rule))
        .routes(routes!(notices::list_channels, notices::add_channel))
        .routes(routes!(notices::change_channel, notices::delete_channel))
        .routes(routes!(notices::try_channel))
        .routes(routes!(notices::preview))
        .routes(routes!(notices::list_addresses))
        .routes(routes!(notices::set_address))
        .routes(routes!(rosters::list_rosters, rosters::add_roster))
        .routes(routes!(rosters::change_roster, rosters::delete_roster))
        .routes(routes!(rosters::add_override))
        .routes(routes!(rosters::remove_override))
        .routes(routes!(handovers::get_shift))
        .routes(routes!(handovers::list_handovers, handovers::hand_over))
        .routes(routes!(handovers::get_handover))
        .routes(routes!(handovers::answer_handover))
        .routes(routes!(handovers::withdraw_handover))
        .routes(routes!(escalations::list_escalations))
        .routes(routes!(escalations::acknowledge))
        .routes(routes!(escalations::look_at_link, escalations::use_link))
        .routes(routes!(overview::get_work))
        .routes(routes!(overview::get_state))
        .routes(routes!(live::follow_live))
}

/// The document that describes the API, as committed.
pub fn document() -> String {
    let (_, mut document) = routes().split_for_parts();
    open_tagged(&mut document);
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// What stands inside a tagged choice has the tag beside its own properties: there it must not refuse others.
fn open_tagged(document: &mut utoipa::openapi::OpenApi) {
    let Some(components) = document.components.as_mut() else { return };
    let mut inside = Vec::new();
    for schema in components.schemas.values() {
        let RefOr::T(Schema::OneOf(choice)) = schema else { continue };
        for item in &choice.items {
            let RefOr::T(Schema::AllOf(parts)) = item else { continue };
            inside.extend(parts.items.iter().filter_map(|part| match part {
                RefOr::Ref(named) => named.ref_location.rsplit('/').next().map(str::to_owned),
                RefOr::T(_) => None,
            }));
        }
    }
    for name in inside {
        if let Some(RefOr::T(Schema::Object(object))) = components.schemas.get_mut(&name) {
            object.additional_properties = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_document_is_not_stale() {
        let committed = include_str!("../../openapi.json");
        assert!(committed == document(), "openapi.json is stale: run `luytre-console openapi > console/openapi.json`");
    }
}
