/* Device programs and the kernel: bpf(2). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "runtime/devprog.h"

static int bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static uint64_t address(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static int load(const struct devprog *prog, struct err *e)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr)); /* its tail has to be empty */
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = address(prog->code.v);
	attr.insn_cnt = (uint32_t)prog->code.n;
	attr.license = address("Apache-2.0");
	fd = bpf(BPF_PROG_LOAD, &attr);
	return fd < 0 ? err_set(e, errno, "load a device program") : fd;
}

static int open_group(const char *dir, struct err *e)
{
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_set(e, errno, "open %s", dir) : fd;
}

/* With those that the guest's own manager adds: each of them has to allow. */
int devprog_attach(const struct devprog *prog, const char *dir, struct err *e)
{
	int group CLEANUP(fd_closep) = open_group(dir, e);
	int fd CLEANUP(fd_closep) = group < 0 ? -1 : load(prog, e);
	union bpf_attr attr;

	if (fd < 0)
		return -1;
	memset(&attr, 0, sizeof(attr));
	attr.target_fd = (uint32_t)group;
	attr.attach_bpf_fd = (uint32_t)fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (bpf(BPF_PROG_ATTACH, &attr) < 0)
		return err_set(e, errno, "attach a device program");
	return 0;
}

static int info(int fd, struct bpf_prog_info *ret, struct err *e)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(*ret);
	attr.info.info = address(ret);
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0)
		return err_set(e, errno, "read a device program");
	return 0;
}

static int read_one(uint32_t id, struct arena *mem, struct devprog *ret,
		    struct err *e)
{
	struct bpf_prog_info i;
	union bpf_attr attr;
	int fd CLEANUP(fd_closep) = -1;
	struct bpf_insn *code;
	uint32_t size;

	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	if (fd < 0)
		return err_set(e, errno, "open device program %u", id);
	memset(&i, 0, sizeof(i));
	if (info(fd, &i, e) < 0)
		return -1;
	size = i.xlated_prog_len;
	code = arena_alloc(mem, size == 0 ? 1 : size);
	memset(&i, 0, sizeof(i));
	i.xlated_prog_len = size;
	i.xlated_prog_insns = address(code);
	if (info(fd, &i, e) < 0)
		return -1;
	if (size == 0 || i.xlated_prog_len != size || i.xlated_prog_insns == 0)
		return err_set(e, EPERM, "device program %u is not shown", id);
	*ret = (struct devprog){ 0 };
	for (size_t k = 0; k < size / sizeof(*code); k++)
		*vec_add(mem, &ret->code) = code[k];
	return 0;
}

int devprog_read(const char *dir, struct arena *mem, struct devprog_list *ret,
		 struct err *e)
{
	enum { PROGS_MAX = 64 };
	int group CLEANUP(fd_closep) = open_group(dir, e);
	uint32_t ids[PROGS_MAX];
	struct devprog_list all = { 0 };
	union bpf_attr attr;

	if (group < 0)
		return -1;
	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)group;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.query_flags = BPF_F_QUERY_EFFECTIVE;
	attr.query.prog_ids = address(ids);
	attr.query.prog_cnt = PROGS_MAX;
	if (bpf(BPF_PROG_QUERY, &attr) < 0)
		return err_set(e, errno, "ask for the device programs of %s",
			       dir);
	for (uint32_t i = 0; i < attr.query.prog_cnt; i++)
		if (read_one(ids[i], mem, vec_add(mem, &all.list), e) < 0)
			return -1;
	*ret = all;
	return 0;
}
