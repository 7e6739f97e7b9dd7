//! What a client's settings add to its requests: the namespace in names, and ext fields that all requests have.
//!
//! Inside the client all names are the user's own. They are wrapped here when a request is encoded, and unwrapped when an
//! answer or a request of a server is read.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::sync::Arc;

use bytes::BytesMut;

use crate::ground::names::{GroupName, NameError, TopicName};
use crate::ground::namespace::Namespace;
use crate::wire::{
    EncodeError, FieldSink, FixedFields, Plain, RequestHead, SerializeType, WriteFields, encode_request,
};

/// What all requests of a client have in common.
#[derive(Clone, Debug, Default)]
pub(crate) struct Naming {
    namespace: Option<Namespace>,
    shared: Option<Arc<FixedFields>>,
}

/// Ext fields of all requests, as Java's hooks set them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SharedFields<'a> {
    /// Namespace of the second kind (`ns`, and `nsd` = `true` with it).
    pub(crate) namespace_v2: Option<&'a str>,
    /// Name of the zone (`__ZONE_NAME`).
    pub(crate) zone_name: Option<&'a str>,
    /// Whether only servers of the zone are wanted (`__ZONE_MODE`).
    pub(crate) zone_mode: bool,
}

impl WriteFields for SharedFields<'_> {
    fn write<S: FieldSink>(&self, sink: &mut S) {
        if let Some(namespace) = self.namespace_v2 {
            sink.bool("nsd", true);
            sink.str("ns", namespace);
        }
        if let Some(name) = self.zone_name {
            sink.str("__ZONE_NAME", name);
            if self.zone_mode {
                sink.bool("__ZONE_MODE", true);
            }
        }
    }
}

/// A header with the fields of all requests behind it.
pub(super) struct WithShared<'a, H> {
    pub(super) header: &'a H,
    pub(super) shared: &'a FixedFields,
}

impl<H: WriteFields> WriteFields for WithShared<'_, H> {
    fn write<S: FieldSink>(&self, sink: &mut S) {
        self.header.write(sink);
        sink.fixed(self.shared);
    }
}

impl Naming {
    pub(crate) fn new(namespace: Option<Namespace>, fields: SharedFields<'_>) -> Result<Self, EncodeError> {
        let shared = if fields == SharedFields::default() { None } else { Some(FixedFields::new(&fields)?) };
        Ok(Self { namespace, shared: shared.map(Arc::new) })
    }

    /// The namespace that names are wrapped with.
    pub(crate) fn namespace(&self) -> Option<&Namespace> {
        self.namespace.as_ref()
    }

    /// The fields that all requests have.
    pub(crate) fn shared(&self) -> Option<&FixedFields> {
        self.shared.as_deref()
    }

    /// A topic as servers know it.
    pub(crate) fn topic<'a>(&self, topic: &'a TopicName) -> Cow<'a, str> {
        match &self.namespace {
            Some(namespace) => namespace.wrap(topic.as_str()),
            None => Cow::Borrowed(topic.as_str()),
        }
    }

    /// A group as servers know it.
    pub(crate) fn group<'a>(&self, group: &'a GroupName) -> Cow<'a, str> {
        match &self.namespace {
            Some(namespace) => namespace.wrap_group(group.as_str()),
            None => Cow::Borrowed(group.as_str()),
        }
    }

    /// A topic as the user knows it.
    pub(crate) fn user_topic(&self, topic: &TopicName) -> TopicName {
        let own = self.namespace.as_ref().map(|namespace| namespace.bare(topic.as_str()));
        // What is left of a name is one.
        own.and_then(|own| own.parse().ok()).unwrap_or_else(|| topic.clone())
    }

    /// Refuses a topic that is too long with its namespace.
    pub(crate) fn check_topic(&self, topic: &TopicName) -> Result<(), NameError> {
        self.namespace.as_ref().map_or(Ok(()), |namespace| namespace.check_topic(topic))
    }

    /// Refuses a group that is too long with its namespace.
    pub(crate) fn check_group(&self, group: &GroupName) -> Result<(), NameError> {
        self.namespace.as_ref().map_or(Ok(()), |namespace| namespace.check_group(group))
    }

    /// A group that a server names, as the user knows it; none of one that is no name, or that no group of this client
    /// can be called.
    pub(crate) fn user_group(&self, group: &str) -> Option<GroupName> {
        let Some(namespace) = &self.namespace else {
            return group.parse().ok();
        };
        let own = namespace.bare(group);
        let own = (*namespace.wrap_group(&own) == *group).then_some(own)?;
        own.parse().ok()
    }

    /// A group as it is kept: without its namespace, if the user gave it one.
    pub(crate) fn bare_group(&self, group: GroupName) -> GroupName {
        let own = self.namespace.as_ref().map(|namespace| namespace.bare(group.as_str()));
        own.and_then(|own| own.parse().ok()).unwrap_or(group)
    }

    /// Of the names of topics that a server listed, those that the user can use, as the user knows them.
    pub(crate) fn user_topics(
        &self,
        topics: alloc::collections::BTreeSet<String>,
    ) -> alloc::collections::BTreeSet<String> {
        let Some(namespace) = &self.namespace else {
            return topics;
        };
        let own = topics.iter().filter(|topic| namespace.has(topic));
        own.map(|topic| namespace.bare(topic).into_owned()).collect()
    }

    /// Adds a whole request to `out`: [`encode_request`] with the fields that all requests have.
    pub(crate) fn encode<H: WriteFields>(
        &self,
        out: &mut BytesMut,
        serialize: SerializeType,
        head: &RequestHead,
        header: &H,
        body: &[u8],
    ) -> Result<(), EncodeError> {
        let written = match self.shared() {
            None => encode_request(out, serialize, head, header, body),
            Some(shared) => encode_request(out, serialize, head, &WithShared { header, shared }, body),
        };
        written.map(drop)
    }
}

/// A name in the form that headers take it. Names and namespaces have no character that needs an escape.
pub(crate) fn plain(name: &str) -> Plain<'_> {
    Plain::known(name.as_bytes())
}
