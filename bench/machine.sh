# shellcheck shell=bash
# The machine in user space beside the kernel's JIT (and beside ubpf, where there is one; it has no
# maps), per turn of small loops; then what compiling and verifying cost per instruction.

UBPF=${UBPF:-$(command -v ubpf_test || true)}
[ -n "$UBPF" ] || echo "bench: no ubpf_test: not measured beside it (UBPF=path/to/ubpf_test)"
"$out/machine" ${UBPF:+"$UBPF"} >"$out/machine.tmp"

value() { # NAME ENGINE
	awk -v name="$1" -v engine="$2" '$1 == name && $2 == engine { print $3 }' "$out/machine.tmp"
}

for program in alu branches copy packet hash; do
	for engine in jit unchecked interpreter; do
		row "machine, $program: $engine beside the kernel's JIT, per turn" ns \
			"$(value $program $engine)" "$(value $program kernel)" ""
	done
	# An engine of ubpf beside ours, and the budget of the ratio.
	while read -r engine peer budget; do
		[ -z "$(value $program "$peer")" ] ||
			row "machine, $program: $engine beside $peer, per turn" ns \
				"$(value $program "$engine")" "$(value $program "$peer")" "$budget"
	done <<END
jit ubpf-jit <=1x
unchecked ubpf-jit <=1x
interpreter ubpf-interpreter <=0.67x
END
done
# The peer of these is the smallest program: 1.0 is growth in step with the size.
for size in 1004 10004 100004; do
	row "machine, $size instructions: compile, per instruction" ns \
		"$(value compile $size)" "$(value compile 1004)" ""
	row "machine, $size instructions: verify, per instruction" ns \
		"$(value verify $size)" "$(value verify 1004)" ""
done
