#include "metrics.h"

int main(int argc, char **argv)
{
        return service_main(&metrics_service, argc, argv);
}
