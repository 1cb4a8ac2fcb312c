/*
 * Files of the C library and of the kernel, as they are installed: the layout that cfront finds
 * in them is compared with what the compiler of this test found in the very same.
 */
#include "base/auto.h"
#include "script/unit.h"
#include "types/btf.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/if_ether.h>
#include <linux/ipv6.h>
#include <linux/perf_event.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct loaded {
	struct arena arena;
	struct sources sources;
	struct diags dx;
	struct typetab types;
	struct compile_options opt;
	struct compiler c;
	struct cfront *cf;
	bool ok;
};

static void load(struct loaded *l, const char *text)
{
	*l = (struct loaded){ .ok = true };
	sources_init(&l->sources, &l->arena);
	diags_init(&l->dx, &l->arena, &l->sources);
	typetab_init(&l->types, &l->arena);
	l->types.btf_path = "/dev/null";
	l->c = (struct compiler){ .arena = &l->arena, .sources = &l->sources, .opt = &l->opt };

	struct cfront_env env = { .types = &l->types,
				  .open_header = header_open,
				  .arg = &l->c };
	const struct source *src = sources_add(&l->sources, "stdin", text, strlen(text));
	struct c_item item = { .span = { src->base, src->base + src->len }, .text = src->text };
	l->cf = cfront_new(&l->arena, &env);
	l->ok = cfront_load(l->cf, &item, 1, &l->dx);
}

static void unload(struct loaded *l)
{
	arena_free(&l->arena);
}

#define auto_loaded __attribute__((cleanup(unload)))

static void same_size(struct loaded *l, enum c_tag tag, const char *name, size_t size,
		      size_t align)
{
	const struct type *t = cfront_find_type(l->cf, tag, name);

	if (!t)
		fail_msg("no type %s", name);
	t = type_complete(&l->types, t);
	if (t->size != size || t->align != align)
		fail_msg("%s: %u bytes, alignment %u, not %zu and %zu", name, t->size, t->align,
			 size, align);
}

static void same_member(struct loaded *l, enum c_tag tag, const char *name, const char *member,
			size_t off, size_t size)
{
	const struct type *t = cfront_find_type(l->cf, tag, name);
	struct field f;

	if (!t || !type_member(&l->types, t, member, &f))
		fail_msg("%s has no member %s", name, member);
	if (f.bit_off != 8 * off || f.type->size != size)
		fail_msg("%s.%s: bit %u, %u bytes, not %zu and %zu", name, member, f.bit_off,
			 f.type->size, 8 * off, size);
}

#define STRUCT(s) same_size(&l, C_STRUCT, #s, sizeof(struct s), _Alignof(struct s))
#define TYPE(s)	  same_size(&l, C_PLAIN, #s, sizeof(s), _Alignof(s))
#define MEMBER(s, m) \
	same_member(&l, C_STRUCT, #s, #m, offsetof(struct s, m), sizeof(((struct s *)0)->m))

static void of_the_c_library(void **state)
{
	auto_loaded struct loaded l;

	(void)state;
	load(&l, "#include <sys/stat.h>\n#include <dirent.h>\n#include <stdio.h>\n"
		 "#include <poll.h>\n#include <sys/epoll.h>\n#include <sys/resource.h>\n"
		 "#include <sys/select.h>\n#include <sys/time.h>\n#include <sys/uio.h>\n"
		 "#include <sys/utsname.h>\n#include <time.h>\n#include <pthread.h>\n"
		 "#include <signal.h>\n#include <fcntl.h>\n#include <sys/statvfs.h>\n"
		 "#include <sys/sysinfo.h>\n#include <sys/inotify.h>\n#include <unistd.h>\n");
	assert_true(l.ok);
	STRUCT(stat);
	MEMBER(stat, st_dev);
	MEMBER(stat, st_mode);
	MEMBER(stat, st_size);
	MEMBER(stat, st_blocks);
	MEMBER(stat, st_mtim);
	STRUCT(statx);
	MEMBER(statx, stx_mtime);
	STRUCT(dirent);
	MEMBER(dirent, d_type);
	MEMBER(dirent, d_name);
	STRUCT(_IO_FILE);
	MEMBER(_IO_FILE, _fileno);
	MEMBER(_IO_FILE, _lock);
	TYPE(FILE);
	STRUCT(pollfd);
	MEMBER(pollfd, revents);
	STRUCT(epoll_event);
	MEMBER(epoll_event, data);
	STRUCT(rusage);
	MEMBER(rusage, ru_maxrss);
	MEMBER(rusage, ru_nivcsw);
	TYPE(fd_set);
	STRUCT(timeval);
	STRUCT(timespec);
	STRUCT(itimerspec);
	STRUCT(tm);
	MEMBER(tm, tm_zone);
	STRUCT(iovec);
	STRUCT(utsname);
	MEMBER(utsname, machine);
	TYPE(pthread_mutex_t);
	TYPE(pthread_cond_t);
	TYPE(pthread_attr_t);
	TYPE(sigset_t);
	TYPE(siginfo_t);
	STRUCT(sigaction);
	MEMBER(sigaction, sa_mask);
	MEMBER(sigaction, sa_flags);
	STRUCT(flock);
	MEMBER(flock, l_len);
	STRUCT(statvfs);
	MEMBER(statvfs, f_namemax);
	STRUCT(sysinfo);
	MEMBER(sysinfo, mem_unit);
	STRUCT(inotify_event);
	MEMBER(inotify_event, len);
	TYPE(size_t);
	TYPE(off_t);
	TYPE(mode_t);
	TYPE(dev_t);
	TYPE(pthread_t);
	TYPE(int8_t);
	TYPE(uint16_t);
	TYPE(intptr_t);
}

static void of_the_network(void **state)
{
	auto_loaded struct loaded l;

	(void)state;
	load(&l, "#include <sys/socket.h>\n#include <sys/un.h>\n#include <netinet/in.h>\n"
		 "#include <netinet/ip.h>\n#include <linux/tcp.h>\n#include <linux/ipv6.h>\n"
		 "#include <linux/if_ether.h>\n");
	assert_true(l.ok);
	STRUCT(sockaddr);
	STRUCT(sockaddr_storage);
	STRUCT(sockaddr_un);
	MEMBER(sockaddr_un, sun_path);
	STRUCT(sockaddr_in);
	MEMBER(sockaddr_in, sin_addr);
	STRUCT(sockaddr_in6);
	MEMBER(sockaddr_in6, sin6_addr);
	MEMBER(sockaddr_in6, sin6_scope_id);
	STRUCT(msghdr);
	MEMBER(msghdr, msg_control);
	MEMBER(msghdr, msg_flags);
	STRUCT(iphdr);
	MEMBER(iphdr, tos);
	MEMBER(iphdr, protocol);
	MEMBER(iphdr, daddr);
	STRUCT(tcphdr);
	MEMBER(tcphdr, seq);
	MEMBER(tcphdr, window);
	STRUCT(ipv6hdr);
	MEMBER(ipv6hdr, payload_len);
	MEMBER(ipv6hdr, daddr);
	STRUCT(ethhdr);
	MEMBER(ethhdr, h_proto);
	TYPE(in_addr_t);
	TYPE(in_port_t);
	TYPE(socklen_t);
	TYPE(sa_family_t);
}

static void bit_fields_of_the_network(void **state)
{
	auto_loaded struct loaded l;
	struct field f;

	(void)state;
	load(&l, "#include <linux/tcp.h>\n#include <linux/ip.h>\n");
	assert_true(l.ok);
	assert_true(
		type_member(&l.types, cfront_find_type(l.cf, C_STRUCT, "tcphdr"), "syn", &f));
	assert_int_equal(f.bit_size, 1);
	assert_int_equal(f.bit_off, 13 * 8 + 1);
	assert_true(type_member(&l.types, cfront_find_type(l.cf, C_STRUCT, "iphdr"), "version",
				&f));
	assert_int_equal(f.bit_size, 4);
	assert_int_equal(f.bit_off, 4);
}

static void of_the_kernel(void **state)
{
	auto_loaded struct loaded l;

	(void)state;
	load(&l, "#include <linux/bpf.h>\n#include <linux/perf_event.h>\n"
		 "#include <linux/fs.h>\n");
	assert_true(l.ok);
	STRUCT(perf_event_attr);
	MEMBER(perf_event_attr, sample_type);
	MEMBER(perf_event_attr, wakeup_events);
	MEMBER(perf_event_attr, aux_watermark);
	STRUCT(perf_event_mmap_page);
	MEMBER(perf_event_mmap_page, data_head);
	same_size(&l, C_UNION, "bpf_attr", sizeof(union bpf_attr), _Alignof(union bpf_attr));
	STRUCT(bpf_prog_info);
	MEMBER(bpf_prog_info, name);
	MEMBER(bpf_prog_info, netns_dev);
	STRUCT(bpf_insn);
	STRUCT(bpf_sock_ops);
	MEMBER(bpf_sock_ops, skb_data);
	STRUCT(fstrim_range);
	STRUCT(file_clone_range);
}

static void constants_and_functions(void **state)
{
	auto_loaded struct loaded l;
	int64_t v;

	(void)state;
	load(&l, "#include <linux/bpf.h>\n#include <netinet/in.h>\n#include <sys/stat.h>\n");
	assert_true(cfront_find_const(l.cf, "BPF_PROG_TYPE_KPROBE", &v, NULL));
	assert_int_equal(v, BPF_PROG_TYPE_KPROBE);
	assert_true(cfront_find_const(l.cf, "IPPROTO_SCTP", &v, NULL));
	assert_int_equal(v, IPPROTO_SCTP);
	assert_true(cfront_find_macro(l.cf, "S_ISDIR")->function_like);
	assert_string_equal(
		cfront_macro_text(l.cf, cfront_find_macro(l.cf, "S_IRUSR"), &l.arena, NULL),
		" __S_IREAD");
	assert_null(cfront_find_macro(l.cf, "__KERNEL__"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_the_c_library),	     cmocka_unit_test(of_the_network),
		cmocka_unit_test(bit_fields_of_the_network), cmocka_unit_test(of_the_kernel),
		cmocka_unit_test(constants_and_functions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
