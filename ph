de wachtzin van deze oude kluis
