/* Capabilities, no_new_privs and the system call filter. */
#include <errno.h>
#include <seccomp.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/cap.h"
#include "base/str.h"
#include "runtime/caps.h"
#include "runtime/run.h"

static int drop_bounding(uint64_t keep, struct err *e)
{
	for (unsigned bit = 0; bit < CAP_N; bit++) {
		if ((keep & CAP_BIT(bit)) != 0 ||
		    cap_get_bound((cap_value_t)bit) <= 0)
			continue;
		if (cap_drop_bound((cap_value_t)bit) < 0)
			return err_set(e, errno, "drop %s", cap_name(bit));
	}
	return 0;
}

static int set_process(uint64_t keep, struct err *e)
{
	cap_t caps = cap_init();
	int rc = 0;

	if (caps == NULL)
		return err_set(e, errno, "cap_init");
	for (unsigned bit = 0; bit < CAP_N; bit++) {
		const cap_value_t c = (cap_value_t)bit;

		if ((keep & CAP_BIT(bit)) == 0)
			continue;
		cap_set_flag(caps, CAP_PERMITTED, 1, &c, CAP_SET);
		cap_set_flag(caps, CAP_EFFECTIVE, 1, &c, CAP_SET);
	}
	if (cap_set_proc(caps) < 0)
		rc = err_set(e, errno, "cap_set_proc");
	cap_free(caps);
	return rc;
}

int caps_keep(uint64_t keep, struct err *e)
{
	cap_t now = cap_get_proc();
	uint64_t have = 0;

	if (now == NULL)
		return err_set(e, errno, "cap_get_proc");
	for (unsigned bit = 0; bit < CAP_N; bit++) {
		cap_flag_value_t v = CAP_CLEAR;

		if (cap_get_flag(now, (cap_value_t)bit, CAP_PERMITTED, &v) ==
			    0 &&
		    v == CAP_SET)
			have |= CAP_BIT(bit);
	}
	cap_free(now);
	if (drop_bounding(keep, e) < 0)
		return -1;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return set_process(keep & have, e);
}

/* The list as text is for people; the set stands in the plan. */
int caps_bound(struct run *r, const struct op *op, struct err *e)
{
	(void)op;
	return caps_keep(r->ops->caps, e);
}

int caps_no_new_privs(struct run *r, const struct op *op, struct err *e)
{
	(void)r;
	(void)op;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, errno, "prctl");
	return 0;
}

/* /usr/share/lxc/config/common.seccomp of LXC 5.0. */
static int add_rules(scmp_filter_ctx f, struct err *e)
{
	static const char *const denied[] = { "kexec_load", "open_by_handle_at",
					      "init_module", "finit_module",
					      "delete_module" };
	int rc;

	for (size_t i = 0; i < COUNT(denied); i++) {
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM),
				      seccomp_syscall_resolve_name(denied[i]),
				      0);
		if (rc < 0)
			return err_set(e, -rc, "deny %s", denied[i]);
	}
	rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(umount2), 1,
			      SCMP_A1(SCMP_CMP_MASKED_EQ, MNT_FORCE,
				      MNT_FORCE));
	if (rc < 0)
		return err_set(e, -rc, "deny umount2");
	return 0;
}

const char *caps_filter_name(const char *profile)
{
	return str_ends(profile, "/common.seccomp") ? "lxc-common" : NULL;
}

static void filter_freep(scmp_filter_ctx *f)
{
	seccomp_release(*f);
}

/* fd -1: loaded, else written there. */
static int make_filter(const char *name, int fd, struct err *e)
{
	scmp_filter_ctx f CLEANUP(filter_freep) = NULL;
	int rc;

	if (!str_eq(name, "lxc-common"))
		return err_set(e, EINVAL, "no filter \"%s\"", name);
	f = seccomp_init(SCMP_ACT_ALLOW);
	if (f == NULL)
		return err_set(e, ENOMEM, "seccomp_init");
	seccomp_attr_set(f, SCMP_FLTATR_CTL_NNP, 0);
	seccomp_arch_add(f, SCMP_ARCH_X86);
	if (add_rules(f, e) < 0)
		return -1;
	rc = fd < 0 ? seccomp_load(f) : seccomp_export_bpf(f, fd);
	return rc < 0 ? err_set(e, -rc, "%s the filter",
				fd < 0 ? "load" : "write") :
			0;
}

int caps_filter(const char *name, struct err *e)
{
	return make_filter(name, -1, e);
}

int caps_export(const char *name, int fd, struct err *e)
{
	return make_filter(name, fd, e);
}

int caps_seccomp(struct run *r, const struct op *op, struct err *e)
{
	(void)r;
	return caps_filter(op->a, e);
}
