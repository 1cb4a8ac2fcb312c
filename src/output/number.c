#include "output/number.h"

#include <stdio.h>
#include <stdlib.h>

/* Division by a constant is a multiplication. */
static char *decimal_digits(char *end, uint64_t v)
{
	do {
		*--end = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return end;
}

char *number_digits(char *end, uint64_t v, unsigned base, bool upper)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	unsigned bits = base == 16 ? 4 : 3;

	if (base == 10)
		return decimal_digits(end, v);
	do {
		*--end = set[v & (base - 1)];
		v >>= bits;
	} while (v);
	return end;
}

void number_unsigned(uint64_t v, struct sb *out)
{
	char buf[NUMBER_MAX], *end = buf + sizeof(buf);
	char *digits = number_digits(end, v, 10, false);

	sb_write(out, digits, (size_t)(end - digits));
}

void number_signed(int64_t v, struct sb *out)
{
	if (v < 0)
		sb_putc(out, '-');
	number_unsigned(v < 0 ? -(uint64_t)v : (uint64_t)v, out);
}

void number_double(double f, struct sb *out)
{
	enum { FEW = 15, ALWAYS_ENOUGH = 17 };
	char text[32];

	for (int digits = FEW; digits <= ALWAYS_ENOUGH; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, f);
		if (strtod(text, NULL) == f)
			break;
	}
	sb_puts(out, text);
}

void number_pointer(uint64_t v, struct sb *out)
{
	char buf[NUMBER_MAX], *end = buf + sizeof(buf);
	char *digits = number_digits(end, v, 16, false);

	sb_puts(out, "0x");
	sb_write(out, digits, (size_t)(end - digits));
}

void bytes_text(const char *bytes, size_t len, char mode, struct sb *out)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];
		char code[] = { '\\', 'x', hex[c >> 4], hex[c & 15] };

		if (mode == 'h') {
			code[1] = ' ';
			sb_write(out, i ? code + 1 : code + 2, i ? 3 : 2);
		} else if (mode == 'x' || c < 32 || c > 126) {
			sb_write(out, code, sizeof(code));
		} else {
			sb_putc(out, (char)c);
		}
	}
}
