# shellcheck shell=bash
# What the fuzzers' harnesses begin with.

harnesses() {
	local file

	for file in tests/fuzz/fuzz_*.c; do
		file=${file##*/fuzz_}
		echo "${file%.c}"
	done
}

# Sets files to a small program with debug information of each version, and how it is linked.
dwarf_seeds() {
	local dir=$BUILD/tests/fuzz_seeds version

	mkdir -p "$dir"
	for version in 4 5; do
		cc -O1 "-gdwarf-$version" -nostdlib -shared -Wl,--build-id=none,-z,noseparate-code \
			-o "$dir/dwarf$version" tests/fuzz/seeds/dwarf.c
		cc -O1 "-gdwarf-$version" -c -o "$dir/dwarf$version.o" tests/fuzz/seeds/dwarf.c
	done
	files=("$dir"/dwarf*)
}

# Sets files.
seeds() { # HARNESS
	case $1 in
	parse | compile) files=(tests/script/*.bt) ;;
	asm) files=(tests/bpf/*.txt tests/verify/*.txt) ;;
	elf) files=("$BUILD"/src/base/err.o "$BUILD"/src/base/vec*.o
		"$BUILD"/tests/work/fields.bpf.o "$BUILD"/tests/work/nests.bpf.o) ;;
	dwarf) dwarf_seeds ;;
	perfmap) files=(tests/fuzz/seeds/perfmap.*) ;;
	*) files=() ;;
	esac
	files+=(tests/fuzz/found/"$1".*)
	local file present=()
	for file in "${files[@]}"; do
		[ ! -f "$file" ] || present+=("$file")
	done
	files=("${present[@]}")
}

# How many damaged inputs the suite tries: some seconds for each harness.
rounds() { # HARNESS
	case $1 in
	compile) echo 1500 ;;
	vm | asm) echo 20000 ;;
	dwarf) echo 3000 ;;
	*) echo 5000 ;;
	esac
}

# The bytes that an input has at most under libFuzzer: no less than a whole seed, where a part is no file.
longest() { # HARNESS
	case $1 in
	dwarf) echo 16384 ;;
	*) echo 4096 ;;
	esac
}
