/* Names of the bins. */
#include "setting.h"

const char *setting_bin_name(enum bin b)
{
	static const char *const names[BIN__MAX] = {
		[BIN_CARRIED] = "carried",
		[BIN_APPROXIMATED] = "approximated",
		[BIN_OVERRIDDEN] = "overridden",
		[BIN_DROPPED] = "dropped",
		[BIN_HOSTSIDE] = "hostside",
		[BIN_INERT] = "inert",
		[BIN_INVALID] = "invalid",
		[BIN_UNKNOWN] = "unknown",
		[BIN_UNREADABLE] = "unreadable",
	};

	return names[b];
}
