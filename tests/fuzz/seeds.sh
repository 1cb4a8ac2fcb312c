# shellcheck shell=bash
# What the fuzzers' harnesses begin with.

harnesses() {
	local file

	for file in tests/fuzz/fuzz_*.c; do
		file=${file##*/fuzz_}
		echo "${file%.c}"
	done
}

# Sets files.
seeds() { # HARNESS
	case $1 in
	parse | compile) files=(tests/script/*.bt) ;;
	asm) files=(tests/bpf/*.txt tests/verify/*.txt) ;;
	elf) files=("$BUILD"/src/base/err.o "$BUILD"/src/base/vec*.o) ;;
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
	*) echo 5000 ;;
	esac
}
