# SPDX-License-Identifier: MIT
# Every flag with its reason; all are errors. Targets take them with dochak_target().
set(DOCHAK_WARNINGS
    -Wall -Wextra            # the baseline
    -Wpedantic               # no compiler dialect by accident
    -Wshadow                 # one name, one thing
    -Wconversion             # lengths cross int, size_t and int64_t between four libraries
    -Wno-sign-conversion     # ... but jansson, libpq and librdkafka disagree on signs everywhere
    -Wstrict-prototypes      # f() is not f(void)
    -Wmissing-prototypes     # nothing extern without a header line
    -Wformat=2               # format strings are literals
    -Wundef                  # a misspelt macro is not 0
    -Wvla                    # worker stacks are 100 KiB
    -Wswitch-enum            # a new enum value visits every switch
    -Wcast-qual -Wwrite-strings # const means const
    -Wnull-dereference)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  list(APPEND DOCHAK_WARNINGS -Wlogical-op -Wduplicated-cond -Wduplicated-branches)
endif()

function(dochak_target name)
  target_compile_options(${name} PRIVATE ${DOCHAK_WARNINGS} -Werror -fno-common
    -fstack-protector-strong -fno-strict-overflow)
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2>
    DOCHAK_VERSION="${PROJECT_VERSION}")
  target_link_options(${name} PRIVATE -Wl,-z,relro,-z,now)
endfunction()
