# SPDX-License-Identifier: MIT
# dochak_embed(TARGET SYMBOL FILES...): the files, whole, as `const struct embedded SYMBOL[]` (common/base/embedded.h),
# ended by a row whose name is NULL. Names are the files' own, without a folder.
function(dochak_embed target symbol)
  set(out "${CMAKE_CURRENT_BINARY_DIR}/${target}-${symbol}.c")
  set(files ${ARGN})
  add_custom_command(OUTPUT "${out}"
    COMMAND "${CMAKE_COMMAND}" -DOUT=${out} -DSYMBOL=${symbol} "-DFILES=${files}"
            -P "${CMAKE_SOURCE_DIR}/cmake/embed_script.cmake"
    DEPENDS ${files} "${CMAKE_SOURCE_DIR}/cmake/embed_script.cmake" VERBATIM)
  target_sources(${target} PRIVATE "${out}")
endfunction()
