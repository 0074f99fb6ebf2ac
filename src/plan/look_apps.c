/*
 * Applications that a move touches, found by files of theirs, and when the
 * guest was last used. Nothing is run and no content but names is read.
 */
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/str.h"
#include "plan/look.h"

static const struct app_row {
	const char *path; /* a file or directory of the application */
	const char *name;
	const char *text; /* what the move touches; NULL: only listed */
} app_rows[] = {
	{ "/var/lib/mysql", "mysql",
	  "a database: dump it, or stop it before the copy" },
	{ "/var/lib/pgsql/data", "postgresql",
	  "a database: dump it, or stop it before the copy" },
	{ "/var/lib/postgresql", "postgresql",
	  "a database: dump it, or stop it before the copy" },
	{ "/var/lib/mongodb", "mongodb",
	  "a database: dump it, or stop it before the copy" },
	{ "/var/lib/ldap", "openldap",
	  "a database: dump it, or stop it before the copy" },
	{ "/var/lib/redis", "redis",
	  "a database: dump it, or stop it before the copy" },
	{ "/opt/oracle", "oracle",
	  "a database: dump it, or stop it before "
	  "the copy; it sets kernel parameters" },
	{ "/usr/local/psa", "plesk",
	  "a panel: its licence may be bound to address and kernel" },
	{ "/usr/local/cpanel", "cpanel",
	  "a panel: its licence may be bound to address and kernel" },
	{ "/usr/local/directadmin", "directadmin",
	  "a panel: its licence may be bound to address and kernel" },
	{ "/etc/openvpn", "openvpn",
	  "a VPN: needs /dev/net/tun and NET_ADMIN in the guest" },
	{ "/etc/ppp/pptpd-options", "pptpd",
	  "a VPN: needs /dev/ppp and kernel modules on the host" },
	{ "/etc/ipsec.conf", "ipsec",
	  "a VPN: IPsec state is the guest's own now; modules on the host" },
	{ "/usr/sbin/rpc.nfsd", "nfs-kernel-server",
	  "the kernel's NFS server does not run in a container" },
	{ "/etc/bacula/bacula-fd.conf", "bacula",
	  "a backup agent: tell its server the new address or place" },
	{ "/usr/bin/dsmc", "tsm",
	  "a backup agent: tell its server the new address or place" },
	{ "/etc/amanda", "amanda",
	  "a backup agent: tell its server the new address or place" },
	{ "/etc/nagios/nrpe.cfg", "nrpe",
	  "a monitoring agent: its checks of the host have to change" },
	{ "/etc/munin/munin-node.conf", "munin-node",
	  "a monitoring agent: its checks of the host have to change" },
	{ "/etc/zabbix/zabbix_agentd.conf", "zabbix-agent",
	  "a monitoring agent: its checks of the host have to change" },
	{ "/etc/ntp.conf", "ntp", "time is kept by the host" },
	{ "/usr/sbin/vserver-stat", "vserver-tools",
	  "reads /proc/virtual, which is not there any more" },
	{ "/usr/bin/fusioninventory-agent", "fusioninventory",
	  "its VServer module reads /proc/virtual" },
	{ "/etc/apache2", "apache", NULL },
	{ "/etc/httpd/conf", "apache", NULL },
	{ "/etc/nginx", "nginx", NULL },
	{ "/etc/postfix/main.cf", "postfix", NULL },
	{ "/etc/exim4", "exim", NULL },
	{ "/etc/bind/named.conf", "bind", NULL },
	{ "/etc/named.conf", "bind", NULL },
	{ "/etc/samba/smb.conf", "samba", NULL },
	{ "/etc/dovecot", "dovecot", NULL },
	{ "/usr/share/tomcat", "tomcat", NULL },
	{ "/etc/asterisk", "asterisk", NULL },
};

static void applications(struct plan *p)
{
	struct guest *g = p->g;

	for (size_t i = 0; i < COUNT(app_rows); i++) {
		const struct app_row *row = &app_rows[i];

		if (strv_has(&g->apps, row->name) ||
		    !tree_exists(p->root, row->path))
			continue;
		strv_add(g->mem, &g->apps, row->name);
		if (row->text != NULL)
			finding_add(g, FIND_INI_APP, NULL,
				    look_origin(p, row->path, NULL), "%s: %s",
				    row->name, row->text);
	}
}

/* Files that a running system writes to all the time. */
static const char *const used[] = {
	"/var/log/wtmp",       "/var/log/messages", "/var/log/syslog",
	"/var/log/auth.log",   "/var/log/secure",   "/var/run/utmp",
	"/var/log/lastlog",    "/var/spool/cron",   "/var/log/cron",
	"/var/log/daemon.log", "/var/log/journal",  "/root/.bash_history",
};

static void last_use(struct plan *p)
{
	time_t last = 0;
	struct tm tm;
	char text[16];

	for (size_t i = 0; i < COUNT(used); i++) {
		struct tree_stat st;
		struct err e;

		if (tree_stat(p->root, used[i], &st, &e) == 0 &&
		    st.mtime.tv_sec > last)
			last = st.mtime.tv_sec;
	}
	if (last == 0 || gmtime_r(&last, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d", &tm) == 0)
		return;
	p->g->last_used = arena_strdup(p->g->mem, text);
}

void look_apps(struct plan *p)
{
	applications(p);
	last_use(p);
}
