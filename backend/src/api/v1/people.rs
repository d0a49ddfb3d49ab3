//! The operations on people: signing in, users, invitations.

use super::{confirmations, invitations, password_resets, second_factors, sessions, users};
use actix_web::web::{ServiceConfig, delete, get, post, resource};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(paths(
    sessions::sign_in,
    sessions::get_session,
    sessions::sign_out,
    sessions::list_sessions,
    sessions::end_device,
    sessions::change,
    sessions::set_profile,
    second_factors::list_second_factors,
    second_factors::begin,
    second_factors::confirm,
    second_factors::remove,
    users::list_roles,
    users::list_users,
    users::get_user,
    users::set_user_roles,
    users::disable,
    users::enable,
    users::reset_second_factor,
    invitations::list_invitations,
    invitations::create_invitation,
    invitations::get_invitation,
    invitations::revoke,
    invitations::accept,
    password_resets::request,
    password_resets::complete,
    confirmations::ask,
))]
pub struct PeopleDescription;

/// Who signs in, and what they may do.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(resource("/v1/session").route(get().to(sessions::get_session)).route(delete().to(sessions::sign_out)))
        .service(resource("/v1/session/actions/change_password").route(post().to(sessions::change)))
        .service(resource("/v1/session/actions/set_profile").route(post().to(sessions::set_profile)))
        .service(resource("/v1/sessions").route(get().to(sessions::list_sessions)).route(post().to(sessions::sign_in)))
        .service(resource("/v1/sessions/{id}").route(delete().to(sessions::end_device)))
        .service(
            resource("/v1/second_factors")
                .route(get().to(second_factors::list_second_factors))
                .route(post().to(second_factors::begin)),
        )
        .service(resource("/v1/second_factors/{id}/actions/confirm").route(post().to(second_factors::confirm)))
        .service(resource("/v1/second_factors/{id}/actions/remove").route(post().to(second_factors::remove)))
        .service(resource("/v1/roles").route(get().to(users::list_roles)))
        .service(resource("/v1/users").route(get().to(users::list_users)))
        .service(resource("/v1/users/{id}").route(get().to(users::get_user)))
        .service(resource("/v1/users/{id}/actions/set_roles").route(post().to(users::set_user_roles)))
        .service(resource("/v1/users/{id}/actions/disable").route(post().to(users::disable)))
        .service(resource("/v1/users/{id}/actions/enable").route(post().to(users::enable)))
        .service(resource("/v1/users/{id}/actions/reset_second_factor").route(post().to(users::reset_second_factor)))
        .service(
            resource("/v1/invitations")
                .route(get().to(invitations::list_invitations))
                .route(post().to(invitations::create_invitation)),
        )
        .service(resource("/v1/invitations/actions/accept").route(post().to(invitations::accept)))
        .service(resource("/v1/invitations/{id}").route(get().to(invitations::get_invitation)))
        .service(resource("/v1/invitations/{id}/actions/revoke").route(post().to(invitations::revoke)))
        .service(resource("/v1/password_resets").route(post().to(password_resets::request)))
        .service(resource("/v1/password_resets/actions/complete").route(post().to(password_resets::complete)))
        .service(resource("/v1/confirmations").route(post().to(confirmations::ask)));
}
