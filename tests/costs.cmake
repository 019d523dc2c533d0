# Seconds that the longest tests took on two cores: ctest begins with the longest, and has measured nothing yet in a new build folder.
# Browsers come one after the other: from the beginning, so that what only waits goes beside them.
set(costs
    browser-admin=1120 browser-list=1051 browser-keyboard=1051 browser-live=1045 browser-bind=1032 browser-ticket=1028 browser-page=1019
    browser-pictures=1019 browser-tabs=1012 browser-desk=1011 browser-embed=1008 browser-mentions=1007 browser-trips=1010 browser-person_picker=1005
    services-mycelium-supervisor-mycelium_test=97 integration-gateway=93 integration-presence=92 integration-soak=92 integration-crowd=61
    integration-hostile_random=61 services-store-fault_test=56 system-restarts=45 integration-live=35 integration-start=33 system-overlay=31
    integration-cli=25 system-backup=19 integration-backup_faults=19 system-daemon=17 integration-courier=16 integration-doctor=15
    integration-metrics=14 clients-lib-live_machine_random_test=14 integration-lost_future=13 integration-jobs=13 system-mycelium=12
    integration-tour=11 integration-top=10 integration-damage=10 integration-backup=9)

# assist_cost(NAME): for a test of the calling folder.
function(assist_cost name)
        string(REGEX MATCH "(^|;)${name}=([0-9]+)" found "${costs}")
        if(found)
                set_tests_properties(${name} PROPERTIES COST ${CMAKE_MATCH_2})
        endif()
endfunction()
