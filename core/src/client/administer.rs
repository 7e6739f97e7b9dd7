//! Where administrative calls meet the other floors.

use super::{Client, Purpose, ServiceState};
use crate::admin::{Admin, AdminPurpose, Context};
use crate::ground::Instant;
use crate::interface::{Action, AdminError, AdminRequest, Answer, CallFailure, CommandId};
use crate::net::Failure;
use crate::wire::{EncodeError, Header};
use alloc::boxed::Box;
use alloc::string::ToString;

impl Client {
    /// The floor of administrative calls with what it needs of the others.
    pub(super) fn administering(&mut self) -> (&mut Admin, Context<'_, Purpose>) {
        let Self { now, net, cluster, actions, admin, .. } = self;
        (admin, Context { now: *now, net, cluster, actions })
    }

    pub(super) fn admin_command(&mut self, id: CommandId, request: Box<AdminRequest>, deadline: Instant) {
        if self.state != ServiceState::Running {
            let answer = Answer::Admin(Err(AdminError::ClientClosed));
            return self.actions.push_back(Action::Answer { id, answer });
        }
        let (admin, mut cx) = self.administering();
        admin.begin(&mut cx, id, request, deadline);
    }

    pub(super) fn admin_answered(&mut self, purpose: AdminPurpose, header: &Header<'_>, body: &[u8]) {
        let (admin, mut cx) = self.administering();
        admin.answered(&mut cx, purpose, header, body);
    }

    pub(super) fn admin_failed(&mut self, purpose: AdminPurpose, failure: Failure) {
        let (admin, mut cx) = self.administering();
        admin.failed(&mut cx, purpose, failure);
    }

    pub(super) fn admin_not_encodable(&mut self, purpose: AdminPurpose, error: &EncodeError) {
        let why = CallFailure::NotEncodable(error.to_string());
        let (admin, mut cx) = self.administering();
        admin.not_encodable(&mut cx, purpose, why);
    }
}
