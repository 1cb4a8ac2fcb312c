/*
 * number.h - integers and raw bytes as text, without the cost of printf.
 */
#ifndef SCRY_OUTPUT_NUMBER_H
#define SCRY_OUTPUT_NUMBER_H

#include "base/sb.h"

#include <stdbool.h>
#include <stdint.h>

/* Digits of the longest number: 64 bits in octal, with room to spare. */
enum { NUMBER_MAX = 24 };

/* Writes the digits of v in base 8, 10 or 16 so that they end at end; returns their start. */
char *number_digits(char *end, uint64_t v, unsigned base, bool upper);

void number_unsigned(uint64_t v, struct sb *out);
void number_signed(int64_t v, struct sb *out);
/* "0x1f" */
/* With as many digits as it takes to tell the number from all others; inf, -inf, nan. */
void number_double(double f, struct sb *out);
void number_pointer(uint64_t v, struct sb *out);

/* mode 0: printable ASCII as it is, the rest as \xNN; 'x': all as \xNN; 'h': "NN NN". */
void bytes_text(const char *bytes, size_t len, char mode, struct sb *out);

#endif
