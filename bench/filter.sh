# shellcheck shell=bash
# Packet filters on a generated capture of a million packets, in memory and as a command.  The
# peer of these rows is libpcap's interpreter.

filter='tcp and port 80'
# A static scry cannot load libpcap.
whole_command() { # OPTIONS...
	"$load" wall "$RUNS" "$BUILD/scry" filter -r "$out/packets.pcap" --count "$@" "$filter" |
		awk '$1 == "ms" { print $2 }'
}

# The filter alone, on packets in the cache: this is what the budget is for.
while read -r train set budget kind; do
	"$out/filter" "$filter" "$out/packets.pcap" "$train" "$set" >"$out/filter.tmp" || continue
	peer=$(awk '$1 == "libpcap" { print $2 }' "$out/filter.tmp")
	while read -r machine ns; do
		[ "$machine" = libpcap ] && continue
		row "packet filter, $kind: $machine beside libpcap, per packet" ns "$ns" "$peer" \
			"$([ "$machine" = jit ] && echo "${budget/-/}")"
	done <"$out/filter.tmp"
	[ "$set" = 1000000 ] || continue
	row "packet filter, $kind: whole command, 1,000,000 packets" ms \
		"$(whole_command)" "$(whole_command --with libpcap)" ""
done <<END
16 1024 <=0.25x conversations in the cache
16 1000000 - conversations
1 1000000 - shuffled
END
rm -f "$out/packets.pcap"
commands "'$SCRY' filter -r packets.pcap --count '$filter'" "'$SCRY' filter -r packets.pcap --count --with libpcap '$filter'"
