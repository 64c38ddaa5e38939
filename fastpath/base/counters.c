#include "counters.h"

#define FW_COUNTER_NAME(name) #name,
const char *const fw_counter_names[FW_COUNTER_COUNT] = {FW_COUNTERS(FW_COUNTER_NAME)};
