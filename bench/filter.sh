# shellcheck shell=bash
# Packet filters on a generated capture of a million packets, in memory and as a command.  The
# peer of these rows is libpcap's interpreter; times are the processor's. "memory" looks at the
# packets without filtering them: no machine can take less.

filter='tcp and port 80'
# A static scry cannot load libpcap.
whole_command() { # OPTIONS...
	"$load" wall "$RUNS" "$BUILD/scry" filter -r "$out/packets.pcap" --count "$@" "$filter" |
		awk '$1 == "ms" { print $2 }'
}

# Rows of the machines named for one expression on packets of one kind.
filter_rows() { # MACHINES TRAIN SET LENGTH BUDGET EXPRESSION KIND
	"$out/filter" "$6" "$out/packets.pcap" "$2" "$3" "$4" >"$out/filter.tmp" || return
	local peer machine ns
	peer=$(awk '$1 == "libpcap" { print $2 }' "$out/filter.tmp")
	for machine in $1; do
		ns=$(awk -v m="$machine" '$1 == m { print $2 }' "$out/filter.tmp")
		row "packet filter \`$6\`, $7: $machine beside libpcap, per packet" ns "$ns" "$peer" \
			"$([ "$machine" = jit ] && echo "${5/-/}")"
	done
}

while read -r train set length budget kind; do
	filter_rows 'jit memory interpreter classic' "$train" "$set" "$length" "$budget" "$filter" "$kind"
	[ "$set" = 1000000 ] && [ "$length" = 0 ] || continue
	row "packet filter, $kind: whole command, 1,000,000 packets" ms \
		"$(whole_command)" "$(whole_command --with libpcap)" ""
done <<END
16 1024 0 <=0.25x conversations in the cache
16 1000000 0 <=0.25x conversations
1 1000000 0 <=0.25x shuffled
16 1024 1514 <=0.25x conversations in the cache, all of 96 bytes
16 1000000 1514 - conversations, all of 96 bytes
END
commands "'$SCRY' filter -r packets.pcap --count '$filter'" "'$SCRY' filter -r packets.pcap --count --with libpcap '$filter'"

while read -r expression; do
	filter_rows jit 16 1024 0 - "$expression" 'conversations in the cache'
	filter_rows jit 16 1000000 0 - "$expression" conversations
	filter_rows jit 1 1000000 0 - "$expression" shuffled
done <<'END'
ip
udp and dst port 53
host 10.0.0.1 and tcp
net 192.168.0.0/16
ip6 and tcp port 443
tcp[tcpflags] & tcp-syn != 0
vlan and ip
END
commands "bench/filter EXPRESSION packets.pcap 16 1000000" "the same run"
rm -f "$out/packets.pcap"
