//! Why a request was made: which floor gets its answer.

use crate::admin::AdminPurpose;
use crate::cluster::ClusterPurpose;
use crate::heartbeat::HeartbeatPurpose;
use crate::producer::ProducerPurpose;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Cluster(ClusterPurpose),
    Discovery,
    Heartbeat(HeartbeatPurpose),
    Producer(ProducerPurpose),
    Admin(AdminPurpose),
}

impl From<ClusterPurpose> for Purpose {
    fn from(purpose: ClusterPurpose) -> Self {
        Self::Cluster(purpose)
    }
}

impl From<HeartbeatPurpose> for Purpose {
    fn from(purpose: HeartbeatPurpose) -> Self {
        Self::Heartbeat(purpose)
    }
}

impl From<ProducerPurpose> for Purpose {
    fn from(purpose: ProducerPurpose) -> Self {
        Self::Producer(purpose)
    }
}

impl From<AdminPurpose> for Purpose {
    fn from(purpose: AdminPurpose) -> Self {
        Self::Admin(purpose)
    }
}
