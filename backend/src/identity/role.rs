//! Roles are data: a row says what a person of a kind of organisation may do in a role.

use super::key::Scope;
use super::organisation::OrganisationKind;
use crate::db::schema::role;
use crate::db::{Db, DbError};
use diesel::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    pub kind: OrganisationKind,
    pub name: String,
    pub permissions: Vec<Scope>,
}

/// Of one kind of organisation, or of all.
pub fn roles(db: &mut Db, kind: Option<OrganisationKind>) -> Result<Vec<Role>, DbError> {
    let all =
        role::table.order((role::organisation_kind, role::name)).select((role::organisation_kind, role::name, role::permissions));
    let rows: Vec<(String, String, String)> = all.load(db)?;
    let found = rows.into_iter().map(|(of, name, permissions)| {
        let corrupt = || DbError::Corrupt(format!("role {name} of {of}"));
        let kind = OrganisationKind::parse(&of).ok_or_else(corrupt)?;
        let words =
            permissions.split(' ').map(|word| Scope::parse(word).filter(|scope| scope.allowed_to(kind)).ok_or_else(corrupt));
        let permissions = words.collect::<Result<_, _>>()?;
        Ok(Role { kind, name: name.clone(), permissions })
    });
    let found: Result<Vec<Role>, DbError> = found.collect();
    Ok(found?.into_iter().filter(|role| kind.is_none_or(|kind| role.kind == kind)).collect())
}

/// What somebody in these roles may do, in the order of the scopes; `None`: one of them is not a role there.
pub fn permissions_of(db: &mut Db, kind: OrganisationKind, names: &[String]) -> Result<Option<Vec<Scope>>, DbError> {
    let known = roles(db, Some(kind))?;
    let held: Option<Vec<&Role>> = names.iter().map(|name| known.iter().find(|role| role.name == *name)).collect();
    Ok(held.map(|held| {
        let holds = |scope: &Scope| held.iter().any(|role| role.permissions.contains(scope));
        Scope::ALL.iter().copied().filter(holds).collect()
    }))
}
