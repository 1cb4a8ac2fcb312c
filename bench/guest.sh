# shellcheck shell=bash
# Kernel functions: in a guest (tests/guest) with Linux 6.12, under software emulation, with
# bpftrace and its libraries in the image.  Times are the emulation's, so the ratios count.  What the measuring itself takes
# varies too much there to be taken off.

KERNEL=${KERNEL:-6.12}
guest=$out/guest.tmp
F=kprobe:__x64_sys_sched_get_priority_max R=kretprobe:__x64_sys_sched_get_priority_max
N=kfunc:__x64_sys_sched_get_priority_max
C='/pid == PID/ { @ = count(); }'
PATIENCE=${PATIENCE:-600} # seconds

# TAG RUNS MEASURE SECONDS PROGRAM.  Nobody is waited for longer than that.
guest_figures() {
	cat <<-END
	kprobe 3 event 120 $F $C
	kretprobe 3 event 120 $R $C
	fentry 3 event 120 $N $C
	kprobe-vfs 1 attach 300 kprobe:vfs_* $C
	kprobe-tcp 1 attach 300 kprobe:tcp_* $C
	kprobe-all 1 attach $PATIENCE kprobe:* $C
	END
}

guest_value() { # TAG WHO VALUE
	awk -v tag="$1" -v who="$2" '$1 == tag && $2 == who && NF == 4 { print $3, $4 }' "$guest/out" >"$guest/values"
	result "$3" "$guest/values"
}

guest_row() { # TAG VALUE UNIT BUDGET NAME
	row "guest: $5" "$3" "$(guest_value "$1" own "$2")" "$(guest_value "$1" peer "$2")" "${4/-/}"
}

guest_commands() { # TAG
	local program
	program=$(guest_figures | sed -n "s/^$1 [0-9]* [a-z]* [0-9]* //p")
	commands "scry -e '$program'" "bpftrace -e '$program'"
}

guest_boot() {
	local image=$guest/image program library

	rm -rf "$guest"
	mkdir -p "$guest/work" "$guest/root"
	guest_figures >"$guest/work/figures"
	cp "$load" "$guest/work/load"
	program=$(readlink -f "$(command -v "$PEER")")
	for library in "$program" $(ldd "$program" | grep -o '/[^ ]*'); do
		mkdir -p "$guest/root$(dirname "$library")"
		cp -L "$library" "$guest/root$library"
	done
	tests/guest/kernel "$KERNEL" "$BUILD/guest/$KERNEL" &&
		OVERLAY=$guest/root tests/guest/image "$BUILD/guest/$KERNEL" "$image" "$SCRY" bench/guest-run "$guest/work" || return
	timeout -k 5 "${WATCHDOG:-$((PATIENCE + 1500))}" qemu-system-x86_64 -accel tcg,thread=single -cpu max -smp 2 \
		-m 3072 -nodefaults -no-user-config -display none -no-reboot \
		-kernel "$BUILD/guest/$KERNEL/vmlinuz" -initrd "$image" \
		-append "console=ttyS0 loglevel=4 oops=panic panic=-1 mitigations=off random.trust_cpu=on" \
		-chardev "file,id=console,path=$guest/console" -serial chardev:console \
		-chardev "file,id=verdicts,path=$guest/said" -serial chardev:verdicts </dev/null
	tr -d '\r' <"$guest/said" >"$guest/out"
	grep '^note: \| failed$' "$guest/out"
	grep -qx end "$guest/out" || echo "bench: the guest did not get to its end: $guest/console" >&2
}

if guest_boot; then :; fi
release=$(cat "$BUILD/guest/$KERNEL/release")
while read -r tag name; do
	guest_row "$tag" ns ns - "$name: count(), per event with its measuring (Linux $release, emulated; 3 runs)"
	guest_row "$tag" insns insns - "$name: count(), instructions"
	guest_commands "$tag"
done <<END
kprobe kprobe
kretprobe kretprobe
fentry fentry
END
for tag in vfs tcp; do
	guest_row "kprobe-$tag" ms ms - "count() on kprobe:${tag}_*, until attached (1 run)"
	guest_row "kprobe-$tag" ms_to_end ms - "count() on kprobe:${tag}_*, from SIGINT to exit (1 run)"
	guest_commands "kprobe-$tag"
done
late=
[ "$(guest_value kprobe-all peer ms)" != - ] || late="; bpftrace had not attached after $PATIENCE s"
guest_row kprobe-all functions functions - "all kernel functions, as kprobe:* is listed"
guest_row kprobe-all ms ms - "count() on all kernel functions, until attached (1 run$late)"
guest_row kprobe-all MB MB - "count() on all kernel functions, memory (1 run)"
guest_row kprobe-all ms_to_end ms - "count() on all kernel functions, from SIGINT to exit (1 run)"
guest_commands kprobe-all
rm -rf "$guest"
