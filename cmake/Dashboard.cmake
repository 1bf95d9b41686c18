# SPDX-License-Identifier: MIT
# dochak_dashboard(OUT): builds the page of dashboard/ with npm and sets OUT to its packed files; to none without npm.
option(DOCHAK_DASHBOARD "build the dashboard into dochak-processor (needs npm)" ON)
set(DOCHAK_DASHBOARD_DIST "" CACHE PATH "where dashboard/build.sh has built it already, as for the image")

function(dochak_dashboard out)
  set(source "${CMAKE_SOURCE_DIR}/dashboard")
  set(dist "${CMAKE_CURRENT_BINARY_DIR}/dashboard")
  set(names index.html.gz app.js.gz app.css.gz)
  set(${out} "" PARENT_SCOPE)
  if(NOT DOCHAK_DASHBOARD)
    return()
  elseif(DOCHAK_DASHBOARD_DIST)
    list(TRANSFORM names PREPEND "${DOCHAK_DASHBOARD_DIST}/" OUTPUT_VARIABLE files)
    set(${out} ${files} PARENT_SCOPE)
    return()
  endif()
  list(TRANSFORM names PREPEND "${dist}/" OUTPUT_VARIABLE files)
  find_program(NPM npm)
  if(NOT NPM)
    message(STATUS "The dashboard is not built: npm was not found (Debian: apt-get install npm)")
    return()
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${source}/src/*")
  add_custom_command(OUTPUT ${files}
    COMMAND "${source}/build.sh" "${dist}"
    DEPENDS ${sources} "${source}/build.sh" "${source}/index.html" "${source}/package-lock.json" "${source}/vite.config.ts"
    COMMENT "Building the dashboard" USES_TERMINAL VERBATIM)
  set(${out} ${files} PARENT_SCOPE)
endfunction()
