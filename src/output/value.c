#include "output/value.h"

#include <string.h>

static struct value integer(bool is_signed, uint64_t bits)
{
	return (struct value){ .kind = is_signed ? V_INT : V_UINT, .u = bits };
}

/* Toward zero, as C divides. */
static uint64_t divide(bool negative, uint64_t bits, uint64_t by)
{
	if (by <= 1)
		return bits;
	return negative ? -(-bits / by) : bits / by;
}

static struct value real(double f)
{
	return (struct value){ .kind = V_FLOAT, .f = f };
}

static double float_total(const struct value *v)
{
	double total;

	memcpy(&total, &v->total, sizeof(total));
	return total;
}

struct value stats_average(const struct value *v)
{
	if (v->is_float)
		return real(v->n ? float_total(v) / (double)v->n / (double)(v->div ? v->div : 1)
				 : 0);

	bool negative = v->is_signed && v->total < 0;
	uint64_t average = divide(negative, (uint64_t)v->total, v->n);

	return integer(v->is_signed, divide(negative, average, v->div));
}

struct value stats_record(const struct value *v, struct value items[3])
{
	static const char *const names[] = { "count", "average", "total" };

	items[0] = integer(false, v->n);
	items[1] = stats_average(v);
	items[2] =
		v->is_float ? real(float_total(v)) : integer(v->is_signed, (uint64_t)v->total);
	return (struct value){ .kind = V_RECORD, .items = items, .names = names, .nitems = 3 };
}

uint64_t hist_count(const struct value *v, size_t i)
{
	return v->buckets[i].n / (v->div ? v->div : 1);
}

const struct map_entry *map_array_entry(const struct map_view *m, size_t i)
{
	return (const struct map_entry *)m->arg + i;
}
