//! Changes to a message that is built: with the same rules as when it was.

use super::rules::{check_key, check_user_property, check_value};
use super::{KEY_SEPARATOR, Message, PropertyError, names};
use alloc::string::String;
use bytes::Bytes;

impl Message {
    pub(crate) fn set_body(&mut self, body: Bytes) {
        self.body = body;
    }

    pub(crate) fn set_user_property(&mut self, name: &str, value: &str) -> Result<(), PropertyError> {
        self.properties.insert(name, value)
    }

    pub(crate) fn remove_user_property(&mut self, name: &str) -> Result<(), PropertyError> {
        // Any value will do: it is the name that is looked at.
        check_user_property(name, "x")?;
        self.properties.remove(name);
        Ok(())
    }

    pub(crate) fn set_tag(&mut self, tag: &str) -> Result<(), PropertyError> {
        check_value(names::TAGS, tag)?;
        self.properties.replace_checked(names::TAGS, tag);
        Ok(())
    }

    pub(crate) fn set_keys<K: AsRef<str>>(
        &mut self,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<(), PropertyError> {
        let mut text = String::new();
        for key in keys {
            check_key(key.as_ref())?;
            if !text.is_empty() {
                text.push_str(KEY_SEPARATOR);
            }
            text.push_str(key.as_ref());
        }
        if text.is_empty() {
            self.properties.remove(names::KEYS);
        } else {
            self.properties.replace_checked(names::KEYS, &text);
        }
        Ok(())
    }
}
