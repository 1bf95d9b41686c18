# SPDX-License-Identifier: MIT
# DOCHAK_SANITIZE=address,undefined or thread; set by the presets.
set(DOCHAK_SANITIZE "" CACHE STRING "value of -fsanitize= for every target")
if(DOCHAK_SANITIZE)
  add_compile_options(-fsanitize=${DOCHAK_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DOCHAK_SANITIZE})
endif()
