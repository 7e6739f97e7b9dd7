//! The cluster in a world: it remembers when it has something to do, until something touches it.

use std::ops::{Deref, DerefMut};

use crate::cluster::{Cluster, ClusterConfig};

pub(super) struct Servers {
    cluster: Cluster,
    /// What the cluster said last; none when it may have changed its mind.
    due: Option<Option<u64>>,
}

impl Servers {
    pub(super) fn new(config: ClusterConfig, now_ms: u64) -> Servers {
        Servers { cluster: Cluster::new(config, now_ms), due: None }
    }

    /// When the cluster has something to do. Asked after every event, and most events do not touch the cluster.
    pub(super) fn due(&mut self) -> Option<u64> {
        *self.due.get_or_insert_with(|| self.cluster.next_deadline())
    }
}

impl Deref for Servers {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

impl DerefMut for Servers {
    fn deref_mut(&mut self) -> &mut Cluster {
        self.due = None;
        &mut self.cluster
    }
}
