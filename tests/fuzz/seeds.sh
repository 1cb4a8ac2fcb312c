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

# Sets files to a package of split debug information, of each version that there is a packer for.
dwp_seeds() {
	local dir=$BUILD/tests/fuzz_seeds/dwp version

	mkdir -p "$dir"
	for version in 4 5; do
		cc -O1 "-gdwarf-$version" -gsplit-dwarf -c -o "$dir/dwarf$version.o" tests/fuzz/seeds/dwarf.c
		cc -O1 "-gdwarf-$version" -gsplit-dwarf -c -o "$dir/elf$version.o" tests/fuzz/seeds/elf.c
	done
	dwp -o "$dir/4.dwp" "$dir/dwarf4.dwo" "$dir/elf4.dwo"
	! command -v llvm-dwp >/dev/null || llvm-dwp -o "$dir/5.dwp" "$dir/dwarf5.dwo" "$dir/elf5.dwo"
	files=("$dir"/*.dwp)
}

# Sets files to a library with versioned symbols, unwind tables of both kinds and, packed, names of functions.
elf_seeds() {
	local dir=$BUILD/tests/fuzz_seeds

	mkdir -p "$dir"
	cc -O1 -shared -nostdlib -Wl,--version-script=tests/fuzz/seeds/elf.map -Wl,-z,noseparate-code \
		-Wl,--build-id=sha1 -o "$dir/elf.so" tests/fuzz/seeds/elf.c
	cc -O1 -g1 -gz=zlib -shared -nostdlib -fno-asynchronous-unwind-tables -Wl,-z,noseparate-code \
		-Wl,--version-script=tests/fuzz/seeds/elf.map -o "$dir/elf.frames" tests/fuzz/seeds/elf.c
	cp "$dir/elf.so" "$dir/elf.mini"
	xz -kf "$dir/elf.mini"
	strip "$dir/elf.so"
	objcopy --add-section .gopclntab=tests/fuzz/seeds/elf.gopclntab "$dir/elf.so" "$dir/elf.go"
	objcopy --add-section ".gnu_debugdata=$dir/elf.mini.xz" "$dir/elf.so"
	files=("$dir/elf.so" "$dir/elf.frames" "$dir/elf.go" "$dir/elf.mini" "$BUILD"/src/base/err.o "$BUILD"/src/base/vec*.o
		"$BUILD"/tests/work/fields.bpf.o "$BUILD"/tests/work/nests.bpf.o
		"$BUILD"/tests/work/tails.bpf.o)
}

# Sets files.
seeds() { # HARNESS
	case $1 in
	parse | compile) files=(tests/script/*.bt) ;;
	asm) files=(tests/bpf/*.txt tests/verify/*.txt) ;;
	elf) elf_seeds ;;
	dwarf) dwarf_seeds ;;
	dwp) dwp_seeds ;;
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
	dwarf | dwp) echo 3000 ;;
	*) echo 5000 ;;
	esac
}

# The bytes that an input has at most under libFuzzer: no less than a whole seed, where a part is no file.
longest() { # HARNESS
	case $1 in
	elf | dwarf | dwp) echo 32768 ;;
	*) echo 4096 ;;
	esac
}
