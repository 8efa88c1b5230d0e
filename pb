de wachtzin van deze oude reservekopie
