# SPDX-License-Identifier: MIT
# DOCHAK_SANITIZE=address,undefined or thread; set by the presets.
set(DOCHAK_SANITIZE "" CACHE STRING "value of -fsanitize= for every target")
if(DOCHAK_SANITIZE)
  add_compile_options(-fsanitize=${DOCHAK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DOCHAK_SANITIZE})
endif()
if(DOCHAK_SANITIZE STREQUAL "thread")
  add_library(tsan_c11_threads OBJECT "${CMAKE_SOURCE_DIR}/tests/support/tsan_c11_threads.c") # says why
  link_libraries(tsan_c11_threads)
endif()
