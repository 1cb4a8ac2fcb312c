/*
 * providers.h - the rows of providers.def as declarations, for the files that define them.
 */
#ifndef SCRY_PROBE_PROVIDERS_H
#define SCRY_PROBE_PROVIDERS_H

#include "probe/provider.h"

#define PROVIDER(name) extern const struct provider provider_##name;
#include "probe/providers.def"
#undef PROVIDER

#endif
