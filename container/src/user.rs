//! Who a container runs as: `user[:group]` and further groups, looked up in the image's own passwd(5) and group(5). Pure.

/// A resolved user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub uid: u32,
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
    /// Home folder, `/` where none is known.
    pub home: String,
}

/// Resolves as Docker does: a name must be known, a number need not be; an explicit group leaves out all others but those
/// in `further`.
pub(crate) fn resolve(
    user: &str,
    further: &[String],
    passwd: &str,
    group: &str,
) -> Result<Identity, String> {
    let (user, wanted_group) = match user.split_once(':') {
        Some((user, group)) => (user, Some(group).filter(|group| !group.is_empty())),
        None => (user, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let account = passwd
        .lines()
        .filter_map(Account::parse)
        .find(|account| account.is(user));
    let (uid, own_gid, home) = match (&account, user.parse()) {
        (Some(account), _) => (account.uid, account.gid, account.home),
        (None, Ok(uid)) => (uid, 0, "/"),
        (None, Err(_)) => {
            return Err(
                "the user is not in the image's /etc/passwd; name one that is, or a number".into(),
            );
        }
    };
    let known = || group.lines().filter_map(Group::parse);
    let numbered = |wanted: &str| {
        let found = known().find(|group| group.name == wanted);
        let gid = found.map(|group| group.gid).or_else(|| wanted.parse().ok());
        gid.ok_or("a group is not in the image's /etc/group; name one that is, or a number")
    };
    let (gid, mut groups) = if let Some(wanted) = wanted_group {
        (numbered(wanted)?, Vec::new())
    } else {
        let name = account.as_ref().map_or("", |account| account.name);
        let is_member =
            |group: &Group<'_>| !name.is_empty() && group.members.split(',').any(|m| m == name);
        let others = known().filter(is_member).map(|group| group.gid);
        (own_gid, others.filter(|gid| *gid != own_gid).collect())
    };
    for wanted in further {
        let further = numbered(wanted)?;
        if further != gid && !groups.contains(&further) {
            groups.push(further);
        }
    }
    let home = if home.is_empty() { "/" } else { home };
    Ok(Identity {
        uid,
        gid,
        groups,
        home: home.to_owned(),
    })
}

struct Account<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> Account<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let (name, _, uid, gid, _, home) = (
            fields.next()?,
            fields.next()?,
            fields.next()?,
            fields.next()?,
            fields.next()?,
            fields.next()?,
        );
        Some(Self {
            name,
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
            home,
        })
    }

    fn is(&self, user: &str) -> bool {
        self.name == user || user.parse() == Ok(self.uid)
    }
}

struct Group<'a> {
    name: &'a str,
    gid: u32,
    members: &'a str,
}

impl<'a> Group<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let (name, _, gid) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Self {
            name,
            gid: gid.parse().ok()?,
            members: fields.next().unwrap_or(""),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/sh\nbroken\nweb:x:33:34:web:/srv/web:/bin/false\n";
    const GROUP: &str = "root:x:0:\nweb:x:34:web\ntls:x:44:other,web\nlog:x:45:webmaster\n";

    fn identity(uid: u32, gid: u32, groups: &[u32], home: &str) -> Identity {
        Identity {
            uid,
            gid,
            groups: groups.to_vec(),
            home: home.into(),
        }
    }

    #[test]
    fn users_and_groups_resolve_by_name_or_number() {
        for (user, expected) in [
            ("", identity(0, 0, &[], "/root")),
            ("web", identity(33, 34, &[44], "/srv/web")),
            ("33", identity(33, 34, &[44], "/srv/web")),
            ("web:tls", identity(33, 44, &[], "/srv/web")),
            ("web:99", identity(33, 99, &[], "/srv/web")),
            ("web:", identity(33, 34, &[44], "/srv/web")),
            (":tls", identity(0, 44, &[], "/root")),
            ("1000", identity(1000, 0, &[], "/")),
            ("1000:1000", identity(1000, 1000, &[], "/")),
        ] {
            assert_eq!(
                resolve(user, &[], PASSWD, GROUP).unwrap(),
                expected,
                "{user}"
            );
        }
        assert_eq!(resolve("", &[], "", "").unwrap(), identity(0, 0, &[], "/"));
    }

    #[test]
    fn further_groups_come_beside_those_of_the_user() {
        for (user, further, expected) in [
            ("web", &["log", "7"][..], &[44, 45, 7][..]),
            ("web", &["44", "web", "log", "45"], &[44, 45]),
            ("web:tls", &["log"], &[45]),
        ] {
            let further: Vec<_> = further.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(
                resolve(user, &further, PASSWD, GROUP).unwrap().groups,
                expected,
                "{user} {further:?}"
            );
        }
        assert!(resolve("web", &["nogroup".to_owned()], PASSWD, GROUP).is_err());
    }

    #[test]
    fn an_unknown_name_never_becomes_root() {
        for user in ["nobody", "broken", "web:nogroup", "-1", "4294967296", "0x0"] {
            assert!(resolve(user, &[], PASSWD, GROUP).is_err(), "{user}");
        }
    }

    proptest! {
        #[test]
        fn no_database_makes_a_name_root_unless_it_says_so(passwd in "([a-z]{0,3}:){0,3}[1-9]{0,3}:[0-9]{0,3}\n{0,2}", user in "[a-z]{1,3}") {
            if let Ok(identity) = resolve(&user, &[], &passwd, "") {
                prop_assert_ne!(identity.uid, 0);
            }
        }
    }
}
