//! What the clients of a plan add to names and requests.

use rocketmq_core::client::{ClientConfig, Zone};

use super::TOPICS;
use super::dice::Dice;

/// Namespaces, unit and zone of the clients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Names {
    /// Whether each client has a namespace of the first kind: not the same one.
    pub namespaces: bool,
    /// The namespace of the second kind.
    pub namespace_v2: Option<&'static str>,
    /// The unit.
    pub unit_name: Option<&'static str>,
    /// Whether messages are marked as those of a unit.
    pub unit_mode: bool,
    /// The name of the zone.
    pub zone: Option<&'static str>,
}

impl Names {
    pub(super) fn draw(dice: &mut dyn Dice) -> Names {
        // Dice that are used up give zeros: these clients add nothing.
        let mut one_in = |times: u64| dice.below(times) == 1;
        let second = [one_in(8), one_in(8)];
        Names {
            namespaces: one_in(4),
            namespace_v2: match second {
                [true, _] => Some("second"),
                [_, true] => Some("with \"quotes\" and \u{e4}"),
                _ => None,
            },
            unit_name: one_in(6).then_some("north"),
            unit_mode: one_in(6),
            zone: one_in(8).then_some("zone-1"),
        }
    }

    /// For the client in this place of the plan.
    pub(super) fn apply(&self, place: usize, config: &mut ClientConfig) {
        config.namespace = self.namespace_of(place).map(|text| text.parse().expect("a namespace"));
        config.namespace_v2 = self.namespace_v2.map(str::to_owned);
        config.identity.unit_name = self.unit_name.map(str::to_owned);
        config.unit_mode = self.unit_mode;
        config.zone = self.zone.map(|name| Zone { name: name.to_owned(), mode: false });
    }

    fn namespace_of(&self, place: usize) -> Option<String> {
        self.namespaces.then(|| format!("MQ_INST_{place}_shop"))
    }

    /// A topic of these clients, as servers know it: one for each namespace.
    pub(super) fn on_servers(self, topic: &str, clients: usize) -> Vec<String> {
        let of = |place| self.namespace_of(place).map(|namespace| format!("{namespace}%{topic}"));
        let wrapped: Vec<String> = (0..clients).filter_map(of).collect();
        if wrapped.is_empty() { vec![topic.to_owned()] } else { wrapped }
    }

    /// All topics of these clients, as servers know them.
    pub(super) fn all_on_servers(self, clients: usize) -> Vec<String> {
        TOPICS.iter().flat_map(|topic| self.on_servers(topic, clients)).collect()
    }
}
